"""Quantization steps that follow predicted scales, and audio rows that stay apart."""

import numpy as np
import pytest
import tensorflow as tf

from models.prediction import Prediction
from models.shaping import LARGEST_INDEX, Shaping
from models.slice_context import SliceContext
from models.variable_rate import INDEXES_PER_OCTAVE
from processor.stack import set_random_seed

CHANNELS = 12


def make(**settings):
    """With all weights random, also those that begin at zero."""
    set_random_seed(0)
    defaults = dict(latent_channels=CHANNELS, num_filters=8, slices=3, context_channels=10)
    model = SliceContext(**{**defaults, "across_rows": False, **settings})
    for number, variable in enumerate(model.trainable_variables):
        variable.assign_add(0.1 * tf.random.stateless_normal(variable.shape, [number, 0]))
    return model


def predictions(hyper, rows=3, columns=10, *, exact):
    """Of every slice, with the latents of ``rows`` that are the same however many there are."""
    y = 4 * tf.random.stateless_normal([1, 3, columns, CHANNELS], [0, 0])[:, :rows]
    z = tf.round(hyper.analysis(y))
    predictor = hyper.predictor(z, rows, columns, exact=exact)
    result = []
    for values in tf.split(y, hyper.slice_sizes, axis=-1):
        result.append(predictor.next())
        predictor.add(tf.round(result[-1].centre(values)))
    return result, predictor.decoded


def shaped(exponent, above_usual, exact):
    above_usual = tf.constant(above_usual, tf.float32)
    return Shaping(exponent)(Prediction(None, above_usual + 20), above_usual, exact)


@pytest.mark.parametrize("exact", [False, True])
def test_twice_the_scale_has_steps_of_two_to_the_exponent(exact):
    octaves = np.arange(-3, 4)
    indexes = np.round(octaves * INDEXES_PER_OCTAVE)
    for exponent in (0.25, 1.0):
        result = shaped(exponent, indexes, exact)
        np.testing.assert_allclose(
            np.log2(result.gains), -exponent * indexes / INDEXES_PER_OCTAVE, atol=2.1e-3
        )
        # The scale of what is coded changes by the gain.
        np.testing.assert_allclose(
            result.indexes - 20 - indexes, INDEXES_PER_OCTAVE * np.log2(result.gains), atol=1e-4
        )


def test_gains_have_gradients_while_training_and_bounds():
    above = tf.Variable([-1.0, 0.0, 2.0])
    with tf.GradientTape() as tape:
        gains = Shaping(0.5)(Prediction(None, above), above, False).gains
    assert (tape.gradient(gains, above).numpy() < 0).all()
    for exact in (False, True):
        far = shaped(0.5, [-1e4, 1e4], exact).gains
        ends = shaped(0.5, [-LARGEST_INDEX, LARGEST_INDEX], exact).gains
        np.testing.assert_array_equal(far, ends)


def test_steps_differ_between_latents_of_a_channel():
    result, _ = predictions(make(shaping=0.5), exact=True)
    assert all(np.std(prediction.gains, axis=(0, 1, 2)).max() > 0 for prediction in result)
    result, _ = predictions(make(shaping=0.0), exact=True)
    assert all(prediction.gains is None for prediction in result)


@pytest.mark.parametrize("exact", [False, True])
def test_rows_are_predicted_by_themselves(exact):
    hyper = make(shaping=0.5)
    (all_rows, decoded), (first, alone) = (predictions(hyper, rows, exact=exact) for rows in (3, 1))
    for prediction, expected in zip(first, all_rows):
        np.testing.assert_allclose(prediction.indexes, expected.indexes[:, :1], atol=1e-4)
    np.testing.assert_allclose(alone, decoded[:, :1], atol=1e-4)
    assert hyper.grid(3, 10) == (3, 3) and make(across_rows=True).grid(3, 10) == (1, 3)


def test_the_exact_prediction_is_close_to_the_one_with_gradients():
    hyper = make(shaping=0.5)
    for exact, approximate in zip(*(predictions(hyper, exact=e)[0][:1] for e in (True, False))):
        np.testing.assert_allclose(exact.indexes, approximate.indexes, atol=1.0)


@pytest.mark.parametrize("shaping", [-0.1, 1.1])
def test_an_exponent_out_of_range_is_refused(shaping):
    with pytest.raises(ValueError, match=f"shaping={shaping} must be 0 to 1"):
        make(shaping=shaping)
