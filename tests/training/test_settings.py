"""Root scalars, precision, optimizer: ranges and what they mean."""

import pytest
import tensorflow as tf

from training import precision as precision_module
from training.optimizers import adam
from training.precision import resolve_precision
from training.settings import Settings, quantizers_of

GROUPS = dict.fromkeys(("data", "model", "quantizer", "entropy", "distortion", "optimizer"))


@pytest.mark.parametrize(
    ("scalar", "message"),
    [
        ({"lmbda": 0.0}, "lmbda=0.0 must be above 0"),
        ({"lmbda": float("inf")}, "lmbda=inf must be above 0"),
        ({"batch_size": -1}, "batch_size=-1 must be at least 1"),
        ({"checkpoint_every": 0}, "checkpoint_every=0 must be at least 1"),
        ({"seed": -1}, "seed=-1 must be 0 to 2147483647"),
        ({"precision": "half"}, "precision='half' must be one of auto, float32, bfloat16"),
        ({"run": " "}, "run=' ' must be a name"),
        ({"init_from": ""}, "init_from='' must be a name"),
    ],
)
def test_each_scalar_is_checked(scalar, message):
    with pytest.raises(ValueError, match=message):
        Settings(**GROUPS, **scalar)


def test_names_of_quantizers_are_no_paths():
    both = {"quantizer": "mixed", "quantizer@rate": "ramp", "quantizer@decoder": "mine/half"}
    assert quantizers_of(both) == "rate_ramp-decoder_mine_half"
    assert quantizers_of({"quantizer": "mine/half", "quantizer@rate": "ramp"}) == (
        "mine_half-rate_ramp"
    )


def test_types_are_checked_by_the_structured_config(compose):
    from hydra.errors import ConfigCompositionException

    for override in ("steps=many", "lmbda=[1]", "overwrite=perhaps"):
        with pytest.raises(ConfigCompositionException, match=f"override {override[:6]}"):
            compose(override)


@pytest.mark.parametrize(
    ("flags", "expected"), [(["avx512_bf16"], "bfloat16"), (["avx2"], "float32")]
)
def test_auto_precision_is_what_the_machine_multiplies(monkeypatch, flags, expected):
    monkeypatch.setattr(precision_module, "instruction_sets", lambda: frozenset(flags))
    assert resolve_precision("auto") == expected
    assert resolve_precision("float32") == "float32"


def test_learning_rate_is_constant_then_falls_linearly():
    rate = adam(
        steps=100, learning_rate=1e-3, final_learning_rate=1e-4, decay_share=0.4
    )._learning_rate
    values = [float(rate(tf.constant(step))) for step in (0, 59, 60, 80, 100, 200)]
    assert values == pytest.approx([1e-3, 1e-3, 1e-3, 5.5e-4, 1e-4, 1e-4])


def test_gradients_are_clipped_by_their_global_norm():
    optimizer = adam(steps=10, clip_norm=1.0)
    assert optimizer.global_clipnorm == 1.0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate=0.0 must be above 0"),
        ({"final_learning_rate": 1.0}, "final_learning_rate=1.0 must be 0 to learning_rate=0.001"),
        ({"decay_share": 1.5}, "decay_share=1.5 must be 0 to 1"),
        ({"clip_norm": 0.0}, "clip_norm=0.0 must be above 0"),
    ],
)
def test_optimizer_errors_name_the_argument(setting, message):
    with pytest.raises(ValueError, match=message):
        adam(steps=10, **setting)
