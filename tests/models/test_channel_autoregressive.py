"""Channel-wise autoregression: what a slice is predicted from, and that it is exact."""

import numpy as np
import pytest
import tensorflow as tf

from models.channel_autoregressive import ChannelAutoregressiveTransforms

SLICES, CHANNELS = 3, 12


def make(**settings):
    tf.keras.utils.set_random_seed(0)
    defaults = dict(latent_channels=CHANNELS, num_filters=8, slices=SLICES, widths=[16, 8])
    return ChannelAutoregressiveTransforms(**{**defaults, **settings})


def walk(hyper, symbols, *, exact, batch=1, side=None):
    """Latents' values, and the prediction of every slice, for given values less their means."""
    if side is None:
        side = tf.round(3 * tf.random.stateless_normal([1, 3, 4, 8], [0, 1]))
    predictor = hyper.predictor(tf.repeat(side, batch, 0), *symbols.shape[1:3], exact=exact)
    predictions = []
    for values in tf.split(symbols, SLICES, axis=-1):
        predictions.append(predictor.next())
        predictor.add(values)
    return predictor.decoded, predictions


def integers(seed=0, batch=1):
    return tf.round(3 * tf.random.stateless_normal([batch, 10, 13, CHANNELS], [seed, 0]))


@pytest.mark.parametrize("residual_prediction", [True, False])
def test_a_slice_is_predicted_from_earlier_slices_alone(residual_prediction):
    hyper = make(residual_prediction=residual_prediction)
    symbols = integers()
    before, predicted = walk(hyper, symbols, exact=True)
    size = CHANNELS // SLICES
    for changed in range(SLICES):
        other = symbols.numpy()
        other[..., changed * size : (changed + 1) * size] += 2
        after, again = walk(hyper, tf.constant(other), exact=True)
        for number in range(SLICES):
            same = all(np.array_equal(a, b) for a, b in zip(predicted[number], again[number]))
            assert same == (number <= changed)
        kept = slice(0, changed * size)
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


def test_fixed_point_follows_floating_point():
    hyper = make()
    exact, exact_predictions = walk(hyper, integers(), exact=True)
    floating, predictions = walk(hyper, integers(), exact=False)
    np.testing.assert_allclose(exact, floating, atol=0.05)
    for one, other in zip(exact_predictions, predictions):
        np.testing.assert_array_equal(one.indexes, tf.round(one.indexes))
        assert np.abs(one.indexes - other.indexes).max() <= 0.6


def test_an_image_is_predicted_the_same_in_any_batch():
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
