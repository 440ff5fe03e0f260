"""Which runs can be trained for more steps: those whose schedules were the same so far."""

import pytest

from assembly.axes import axes_of
from assembly.prolonging import check_prolonged

CONSTANT = "optimizer.decay_share=0"
NUMBER = "quantizer.decoder.alpha=7"


@pytest.fixture
def prolong(compose):
    def prolong(*overrides, taken=10):
        configs = (compose(*overrides, f"steps={steps}") for steps in (20, 10))
        check_prolonged(*[next(configs), "runs/a", next(configs)], taken)

    return prolong


@pytest.mark.parametrize(
    "overrides",
    [
        ["quantizer=mixed"],
        ["quantizer=soft_round", NUMBER],
        ["quantizer=soft_round", "quantizer.decoder.alpha.end_step=10"],
        ["quantizer=vector"],
        ["model=hyperprior", "quantizer@hyper_quantizer=mixed"],
    ],
)
def test_what_does_not_depend_on_the_number_of_steps(prolong, overrides):
    prolong(CONSTANT, *overrides)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "learning_rate .* 0.0007.* at step 7"),
        ([CONSTANT, "quantizer=soft_round"], "quantizer.alpha .* 7.5 at step 1"),
        ([CONSTANT, "quantizer=soft_then_hard"], "quantizer.hard_from_step .* 1 at step 7"),
        ([CONSTANT, "quantizer@hyper_quantizer=gumbel"], "hyper_quantizer.tau"),
    ],
)
def test_what_does_is_named(prolong, overrides, name):
    with pytest.raises(ValueError, match=f"steps=20: run='runs/a' was begun with .*{name}"):
        prolong(*overrides)


def test_only_the_steps_taken_count(prolong):
    prolong(taken=6)
    prolong("quantizer=soft_then_hard", taken=6)


def test_axes_name_the_quantizer_and_hold_its_numbers(compose):
    axes = axes_of(compose("quantizer=soft_round", "steps=10", "lmbda=0.02"))
    assert axes["quantizer"] == "soft_round" and axes["model"] == "Bls2017Transforms"
    assert axes["lmbda"] == 0.02 and axes["quantizer.decoder.alpha.end"] == 12
    assert all(isinstance(value, (int, float, str)) for value in axes.values())
