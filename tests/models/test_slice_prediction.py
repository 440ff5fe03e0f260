"""Slices predicted from one another: what a slice is predicted from, and that it is exact."""

import numpy as np
import pytest
import tensorflow as tf

from entropy.conditional_gaussian import scale_of
from models.channel_autoregressive import ChannelAutoregressiveTransforms
from models.slice_context import SliceContext, slice_sizes
from processor.stack import set_random_seed

SLICES, CHANNELS = 3, 12


def make(**settings):
    set_random_seed(0)
    defaults = dict(latent_channels=CHANNELS, num_filters=8, slices=SLICES, widths=[16, 8])
    return ChannelAutoregressiveTransforms(**{**defaults, **settings})


def make_context(**settings):
    """With all weights random, also those that begin at zero."""
    set_random_seed(0)
    defaults = dict(latent_channels=CHANNELS, num_filters=8, slices=SLICES, context_channels=10)
    model = SliceContext(**{**defaults, **settings})
    for number, variable in enumerate(model.trainable_variables):
        variable.assign_add(0.1 * tf.random.stateless_normal(variable.shape, [number, 0]))
    return model


MAKERS = [make, lambda: make(residual_prediction=False), make_context]


def walk(hyper, symbols, *, exact, batch=1, side=None):
    """Latents' values, and the prediction of every slice, for given values less their means."""
    if side is None:
        side = tf.round(3 * tf.random.stateless_normal([1, 3, 4, 8], [0, 1]))
    predictor = hyper.predictor(tf.repeat(side, batch, 0), *symbols.shape[1:3], exact=exact)
    predictions = []
    for values in tf.split(symbols, hyper.slice_sizes, axis=-1):
        predictions.append(predictor.next())
        predictor.add(values)
    return predictor.decoded, predictions


def integers(seed=0, batch=1):
    return tf.round(3 * tf.random.stateless_normal([batch, 10, 13, CHANNELS], [seed, 0]))


@pytest.mark.parametrize("make", MAKERS)
def test_a_slice_is_predicted_from_earlier_slices_alone(make):
    hyper = make()
    symbols = integers()
    before, predicted = walk(hyper, symbols, exact=True)
    starts = np.cumsum([0, *hyper.slice_sizes])
    for changed in range(SLICES):
        other = symbols.numpy()
        other[..., starts[changed] : starts[changed + 1]] += 2
        after, again = walk(hyper, tf.constant(other), exact=True)
        for number in range(SLICES):
            same = all(np.array_equal(a, b) for a, b in zip(predicted[number], again[number]))
            assert same == (number <= changed)
        kept = slice(0, starts[changed])
        np.testing.assert_array_equal(before[..., kept], after[..., kept])


def test_the_predicted_residual_is_within_half_a_step_and_not_nothing():
    hyper = make()
    values, predictions = walk(hyper, integers(), exact=True)
    means = tf.concat([prediction.means for prediction in predictions], -1)
    residual = np.abs(values - means - integers())
    assert 0.01 < residual.max() < 0.5
    without, predictions = walk(make(residual_prediction=False), integers(), exact=True)
    means = tf.concat([prediction.means for prediction in predictions], -1)
    np.testing.assert_array_equal(without, means + integers())


@pytest.mark.parametrize("make", MAKERS)
def test_fixed_point_follows_floating_point(make):
    hyper = make()
    exact, exact_predictions = walk(hyper, integers(), exact=True)
    floating, predictions = walk(hyper, integers(), exact=False)
    np.testing.assert_allclose(exact, floating, atol=0.05)
    for one, other in zip(exact_predictions, predictions):
        np.testing.assert_array_equal(one.indexes, tf.round(one.indexes))
        assert np.abs(one.indexes - other.indexes).max() <= 0.6


@pytest.mark.parametrize("make", MAKERS)
def test_an_image_is_predicted_the_same_in_any_batch(make):
    hyper = make()
    symbols = integers(batch=3)
    together, _ = walk(hyper, symbols, exact=True, batch=3)
    for number in range(3):
        alone, _ = walk(hyper, symbols[number : number + 1], exact=True)
        assert alone.numpy().tobytes() == together[number].numpy().tobytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(slices=1), "slices=1 must be at least 2"),
        (dict(slices=5), "latent_channels=12 must be a multiple of slices=5"),
        (dict(widths=[3000, 8]), r"3000 channels .* 75000 products a sum, .* at most 65536"),
        (dict(widths=[]), r"widths=\[\] must be one or more numbers"),
        (dict(widths=[4, 0]), r"widths=\[4, 0\] must be one or more numbers, each at least 1"),
    ],
)
def test_errors_name_the_argument(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_later_slices_of_the_context_are_longer():
    assert slice_sizes(320, 8) == (9, 18, 26, 36, 44, 54, 62, 71)
    for channels in (36, 37, 100, 768):
        sizes = slice_sizes(channels, 8)
        assert sum(sizes) == channels and min(sizes) == sizes[0] >= 1
    assert slice_sizes(5, 1) == (5,)


def test_an_untrained_context_predicts_the_expected_spread_and_no_mean():
    model = SliceContext(latent_channels=CHANNELS, num_filters=8, slices=SLICES)
    spreads = np.geomspace(0.01, 30, CHANNELS)
    model.expect(spreads)
    _, predictions = walk(model, integers(), exact=True)
    scales = scale_of(tf.concat([prediction.indexes for prediction in predictions], -1))
    # Whole indexes are up to half a step of the table away.
    np.testing.assert_allclose(scales[0, 0, 0], np.maximum(spreads, 0.11), rtol=0.07)
    assert not any(prediction.means.numpy().any() for prediction in predictions)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(slices=0), "slices=0 must be at least 1"),
        (dict(context_channels=0), "context_channels=0 must be at least 1"),
        (dict(slices=12), "slices=12 must be fewer for latent_channels=12"),
        (dict(slices=1, latent_channels=4000), "72000 products, which must be at most 65536"),
    ],
)
def test_errors_of_the_context_name_the_argument(settings, message):
    with pytest.raises(ValueError, match=message):
        make_context(**settings)
