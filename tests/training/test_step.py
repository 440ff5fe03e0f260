"""One training step: what it updates, what it leaves, and how schedules enter."""

import numpy as np
import pytest
import tensorflow as tf
from hydra.utils import instantiate

from assembly.parts import build_model, build_part, fill_slots
from distortion import MeanSquaredError
from quantizers import SoftGradient, StraightThrough, UniformNoise
from quantizers.base.schedules import Linear
from training.step import TrainStep

SMALL = ("model.transforms.num_filters=8", "precision=float32", "steps=8")
IMAGES = tf.constant(np.random.default_rng(0).uniform(0, 255, [2, 32, 32, 3]), tf.float32)


@pytest.fixture
def make(compose):
    def make_step(*overrides, **arguments):
        config = fill_slots(compose(*SMALL, *overrides))
        model = build_model(config)
        optimizer = build_part(config.optimizer)
        return model, TrainStep(model, MeanSquaredError(), optimizer, lmbda=0.01, **arguments)

    return make_step


def values(variables):
    return [variable.numpy() for variable in variables]


def changed(before, variables):
    return [not np.array_equal(old, new.numpy()) for old, new in zip(before, variables)]


@pytest.mark.parametrize("quantizer", ["learned_step", "residual_vector"])
def test_integers_and_indices_are_learned_in_a_graph(make, quantizer):
    """One with a trained parameter, and one that learns codebooks and has a penalty."""
    check_learning(make, quantizer)


@pytest.mark.slow
def test_every_kind_of_quantizer_learns_in_a_graph(make, quantizer_kind):
    check_learning(make, quantizer_kind)


def test_every_quantizer_takes_steps_and_learns_in_all_parts(make, eagerly, quantizer_name):
    check_learning(make, quantizer_name)


def check_learning(make, quantizer_name):
    model, step = make(f"quantizer={quantizer_name}")
    for variable in model.transforms.analysis_variables:
        if "kernel" in variable.name:  # Latents that round to 0 everywhere would teach nothing.
            variable.assign(4 * variable)
    before = values(model.trainable_variables)
    for number in range(2):
        step.advance(number)
        result = step(IMAGES)
        step.check(result, number)
    assert np.isfinite(result.loss)
    assert all(changed(before, model.trainable_variables))


def test_soft_then_hard_freezes_the_analysis_and_trains_the_rest_on_rounded_latents(make):
    model, step = make("quantizer=soft_then_hard")
    for number in range(6):
        step.advance(number)
        step(IMAGES)
    assert not model.quantizer.in_hard_phase
    before = values(model.transforms.analysis_variables)
    rest_before = values(step._decoding)
    step.advance(6)  # three quarters of eight steps
    assert model.quantizer.in_hard_phase
    seen = model.quantizer(model.transforms.analysis(IMAGES), training=True)
    np.testing.assert_array_equal(seen.decoder_input, tf.round(seen.decoder_input))
    np.testing.assert_array_equal(seen.decoder_input, seen.rate_input)
    step.check(step(IMAGES), 6)
    # Also the optimizer's momentum must not move the analysis on.
    assert not any(changed(before, model.transforms.analysis_variables))
    assert all(changed(rest_before, step._decoding))
    assert len(before) + len(rest_before) == len(model.trainable_variables)


def test_in_the_hard_phase_rounding_undoes_what_predicted_means_do(make, eagerly):
    """Latents less their means are rounded, so y_hat follows no mean; its error would lead it."""
    model, _ = make("model=mean_scale_hyperprior", "quantizer=soft_then_hard")
    model.advance(6)
    assert model.quantizer.in_hard_phase
    y = 5 * tf.random.stateless_normal([1, 4, 4, model.transforms.latent_channels], [0, 1])
    parameters = model.hyper.trainable_variables
    with tf.GradientTape(persistent=True) as tape:
        quantized = model.quantize(y, training=True)
        total, bits = tf.reduce_sum(quantized.values), tf.reduce_sum(quantized.bits)
    assert all(g is None or not np.any(g) for g in tape.gradient(total, parameters))
    assert any(g is not None and np.any(g) for g in tape.gradient(bits, parameters))


@pytest.mark.parametrize("name", ["soft_round", "universal", "trellis", "lattice"])
def test_what_codes_integers_can_end_hard(make, eagerly, name):
    model, step = make(f"quantizer={name}", "++quantizer.hard_from_step=2")
    hard = []
    for number in range(4):
        step.advance(number)
        step(IMAGES)
        hard.append(model.quantizer.in_hard_phase)
    assert hard == [False, False, True, True]
    y = model.transforms.analysis(IMAGES)
    seen, coded = (model.quantizer(y, training=flag).decoder_input for flag in (True, False))
    np.testing.assert_array_equal(seen, coded)


def test_lmbda_follows_its_factor(make, eagerly):
    _, step = make("quantizer=mixed", lmbda_factor=Linear(start=0.0, end=2.0, end_step=4))
    for number, factor in enumerate((0.0, 0.5, 1.0)):
        step.advance(number)
        result = step(IMAGES)
        assert float(step.annealed["lmbda_factor"].value) == factor
        expected = result.bpp + 0.01 * factor * result.distortion
        np.testing.assert_allclose(result.loss, expected, rtol=1e-6)


def test_a_constant_factor_is_not_logged(make):
    assert "lmbda_factor" not in make("quantizer=mixed")[1].annealed


def test_a_negative_factor_is_refused(make):
    with pytest.raises(ValueError, match=r"lmbda_factor=-1\.0 must be at least 0"):
        make(lmbda_factor=-1.0)
    for wrong in ("high", float("nan"), None):
        with pytest.raises(ValueError, match=f"^lmbda_factor: .*{wrong}"):
            make(lmbda_factor=wrong)


def slots(config):
    return [instantiate(config.quantizer[slot]) for slot in ("rate", "decoder")]


def test_any_two_surrogates_pair(compose):
    config = fill_slots(compose("quantizer@rate=uniform_noise", "quantizer@decoder=soft_gradient"))
    rate, decoder = slots(config)
    assert isinstance(rate, UniformNoise) and isinstance(decoder, SoftGradient)
    assert config.rate is None and config.decoder is None


def test_a_rate_slot_that_is_the_decoders_is_taken_from_there(compose):
    config = fill_slots(compose("quantizer=mixed", "quantizer@rate=annealed_noise"))
    assert config.quantizer.rate == compose("quantizer=annealed_noise").quantizer.decoder
    assert isinstance(slots(config)[1], StraightThrough)


@pytest.mark.parametrize(
    "overrides",
    [
        ("quantizer=mixed", "quantizer@decoder=vector"),
        ("quantizer=vector", "quantizer@decoder=mixed"),
    ],
)
def test_a_quantizer_without_the_slot_is_named(compose, overrides):
    with pytest.raises(ValueError, match=r"quantizer@decoder: .*Vector.* has no decoder slot"):
        fill_slots(compose(*overrides))
