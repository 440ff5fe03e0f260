"""Models for every rate: settings, what training teaches them, and what they refuse."""

import fractions

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model, build_part
from models.prediction import Prediction
from models.variable_rate import VariableRate
from training.step import TrainStep

SMALL = ("rate=variable", "precision=float32", "model.transforms.num_filters=8")


@pytest.fixture
def rate():
    rate = VariableRate(lmbda=0.01, lowest=0.001, highest=0.1, knots=3)
    rate.build(channels=4, context_channels=2)
    return rate


def test_steps_of_quantization_begin_as_the_inverse_root_of_the_weight(rate):
    assert rate.default_quality == 5000
    np.testing.assert_allclose(rate.at(5000).gains, 1)
    np.testing.assert_allclose(rate.at(0).gains, 10**-0.5, rtol=2e-3)
    np.testing.assert_allclose(rate.at(10000).gains, 10**0.5, rtol=2e-3)
    np.testing.assert_allclose(rate.at(7500).lmbda, 10**-1.5, rtol=1e-6)
    assert rate.quality_of(10**-1.5) == 7500


def test_settings_of_files_are_interpolated_in_whole_numbers(rate):
    noise = np.random.default_rng(0)
    rate._log2_gains.assign(noise.normal(0, 2, [3, 4]))
    rate._context.assign(noise.normal(0, 2, [3, 2]))
    gains, context = (
        np.rint(256 * v.numpy().astype(float)) for v in (rate._log2_gains, rate._context)
    )
    for quality in (0, 1, 1234, 4999, 5000, 5001, 9999, 10000):
        setting, place = rate.at(quality), fractions.Fraction(quality, 5000)
        below = min(int(place), 1)
        for knots, found in (
            (gains, 256 * np.log2(setting.gains)),
            (context, 256 * setting.context),
        ):
            expected = [
                round(int(a) + (place - below) * (int(b) - int(a)) + fractions.Fraction(1, 10**9))
                for a, b in zip(knots[below], knots[below + 1])
            ]
            np.testing.assert_allclose(np.reshape(found, -1), expected, atol=1e-3)


def test_training_draws_one_quality_from_each_part_of_the_range_and_resumes(rate):
    checkpoint = tf.train.Checkpoint(rate=rate)
    kept = checkpoint.save_counter, rate._generator.state.numpy()
    first = rate.sample(tf.constant(8))
    parts = np.log10(first.lmbda.numpy() / 0.001) / 2 * 8
    assert (np.floor(parts) == np.arange(8)).all()
    assert first.gains.shape == (8, 1, 1, 4) and first.context.shape == (8, 1, 1, 2)
    expected = (first.lmbda / 0.01) ** 0.5  # A straight line: knots do not show.
    np.testing.assert_allclose(first.gains[:, 0, 0, 0], expected, rtol=1e-5)
    second = rate.sample(tf.constant(8))
    assert (second.lmbda.numpy() != first.lmbda.numpy()).any()
    rate._generator.state.assign(kept[1])
    np.testing.assert_array_equal(rate.sample(tf.constant(8)).lmbda, first.lmbda)


def test_gains_are_undone_after_the_quantizer(rate):
    gains = rate.at(8000).gains
    y = tf.random.stateless_normal([1, 3, 3, 4], [0, 0], stddev=9.0)
    prediction = Prediction(means=y + 0.3, gains=gains)
    np.testing.assert_allclose(prediction.centre(y), tf.broadcast_to(-0.3 * gains, y.shape), 1e-4)
    np.testing.assert_allclose(prediction.uncentre(prediction.centre(y)), y, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "eager"),  # Of many slices, two steps take less time than the trace of one.
    [
        ("bls2017", False),
        ("hyperprior", True),
        ("mean_scale_hyperprior", False),
        ("channel_autoregressive", True),
        ("lapped", True),
    ],
)
def test_a_step_trains_every_gain_at_every_rate(compose, request, model, eager):
    tf.config.run_functions_eagerly(eager)
    request.addfinalizer(lambda: tf.config.run_functions_eagerly(False))
    config = compose(f"model={model}", *SMALL, "steps=10")
    model = build_model(config)
    step = TrainStep(
        model, build_part(config.distortion), build_part(config.optimizer), config.lmbda
    )
    before = [v.numpy() for v in model.rate.trainable_variables]
    images = tf.random.stateless_uniform([8, 64, 64, 3], [0, 0], 0, 255)
    for number in range(2):  # Layers that begin at zero pass no gradient at first.
        step.advance(number)
        result = step(images)
        step.check(result, number)
    assert len(result.finite) == len(model.trainable_variables)
    for old, new in zip(before, model.rate.trainable_variables):
        assert new.shape[0] == 6 and (old != new.numpy()).any(axis=1).all(), new.name


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["lmbda=0.1"], "lmbda=0.1 must be 0.0018 to 0.05"),
        (["rates.highest=inf"], "rates.highest=inf, both finite"),
        (["rates.lowest=0.06"], "rates.lowest=0.06 must be above 0 and below rates.highest=0.05"),
        (["rates.knots=1"], "rates.knots=1 must be at least 2"),
        (["quantizer=vector"], "rate=variable needs a quantizer of integers"),
    ],
)
def test_what_is_out_of_range_is_named(compose, overrides, message):
    with pytest.raises(Exception, match=message):
        build_model(compose("model=bls2017", *SMALL, *overrides))


@pytest.mark.parametrize(("quality", "named"), [(-1, "-0.01"), (10001, "100.01")])
def test_qualities_of_files_have_ends(rate, quality, named):
    with pytest.raises(ValueError, match=f"quality={named} must be 0 to 100"):
        rate.at(quality)
    with pytest.raises(ValueError, match=r"lmbda=0.2 must be 0.001 to 0.1"):
        rate.quality_of(0.2)
