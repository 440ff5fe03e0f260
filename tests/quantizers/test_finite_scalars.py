"""Finite scalars, rounded (FSQ) and perturbed (FSP), against formulas in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from quantizers import FiniteScalarPerturbation, FiniteScalarQuantizer


def latents(*shape):
    return tf.constant(np.random.default_rng(0).normal(0, 3, shape).astype(np.float32))


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 512])
def test_fsq_reaches_every_level_and_bounds_as_the_paper(size):
    quantizer = FiniteScalarQuantizer(levels=[size])
    quantizer.build(1)
    y = np.linspace(-9, 9, 60_001, dtype=np.float32)[:, None]
    symbols = quantizer.encode(tf.constant(y)).numpy()
    np.testing.assert_array_equal(np.unique(symbols), np.arange(size))
    assert (np.diff(symbols[:, 0]) >= 0).all()
    values = quantizer.decode(tf.constant(symbols)).numpy()
    np.testing.assert_allclose(values, (symbols - size // 2) / (size // 2), atol=1e-6)
    reach, offset = (size - 1) * 0.999 / 2, 0.0 if size % 2 else 0.5
    shift = 0.0 if size == 2 else np.tan(offset / reach)
    # Where the bounded latent is half-way between levels k and k + 1 the symbol changes.
    half_way = np.arange(size - 1) - size // 2 + 0.5
    borders = np.arctanh((half_way + offset) / reach) - shift
    for side, level in ((-1e-3, np.arange(size - 1)), (1e-3, np.arange(1, size))):
        found = quantizer.encode(tf.constant((borders + side)[:, None], tf.float32))
        np.testing.assert_array_equal(found[:, 0], level)


def test_fsq_tiles_levels_and_stands_at_zero_for_zero():
    quantizer = FiniteScalarQuantizer(levels=[8, 5, 5, 5])
    quantizer.build(6)
    assert quantizer.alphabet.sizes == (8, 5, 5, 5, 8, 5)
    np.testing.assert_array_equal(
        quantizer(tf.zeros([1, 6]), training=False).decoder_input, np.zeros([1, 6])
    )


def test_fsp_cells_are_equal_parts_and_training_moves_within_half_a_cell():
    quantizer = FiniteScalarPerturbation(seed=1, levels=[4, 5])
    quantizer.build(3)
    assert quantizer.alphabet.sizes == (4, 5, 4)
    share = np.linspace(0.001, 0.999, 30_000).reshape(-1, 3)
    y = tf.constant(np.arctanh(2 * share - 1), tf.float32)
    cells = np.array([4, 5, 4])
    symbols = np.floor(share * cells)
    np.testing.assert_array_equal(quantizer.encode(y), symbols)
    middles = ((symbols + 0.5) / cells - 0.5) * 12**0.5
    np.testing.assert_allclose(quantizer.decode(tf.constant(symbols)), middles, atol=1e-6)
    moved = quantizer(y, training=True).decoder_input.numpy() / 12**0.5 + 0.5
    by = (moved - share) * cells
    assert np.abs(by).max() < 0.5 + 1e-3 and moved.min() > 0 and moved.max() < 1
    inside = (share > 0.5 / cells) & (share < 1 - 0.5 / cells)
    assert by[inside].std() == pytest.approx(12**-0.5, rel=0.02)
    # Of those nearer to an end, a quarter would be moved beyond it and stays where it is.
    assert np.mean(np.abs(by[~inside]) < 1e-5) == pytest.approx(0.25, abs=0.03)
    uniform = quantizer.decode(quantizer.encode(y)).numpy()
    assert uniform.std() == pytest.approx(1, rel=0.05)


def test_fsp_rounds_a_share_of_the_latents():
    quantizer = FiniteScalarPerturbation(seed=1, rounded_share=0.3)
    quantizer.build(8)
    y = latents(2000, 8)
    seen, coded = (quantizer(y, training=flag).decoder_input for flag in (True, False))
    assert np.mean(seen == coded) == pytest.approx(0.3, abs=0.02)
    with pytest.raises(ValueError, match=r"rounded_share=1\.5 must be 0 to 1"):
        FiniteScalarPerturbation(seed=1, rounded_share=1.5)


@pytest.mark.parametrize(
    ("quantizer", "slope", "unit"),
    [
        # Of the place among the levels, which the rate interpolates, and of one level's value.
        (FiniteScalarQuantizer(levels=[5]), 2 * 0.999, 1 / 2),
        (FiniteScalarPerturbation(seed=1, levels=[5]), 5 / 2, 12**0.5 / 5),
    ],
    ids=["fsq", "fsp"],
)
def test_gradients_are_the_bounds_and_the_interpolations(quantizer, slope, unit):
    quantizer.build(1)
    y = tf.constant([[-2.0], [-0.3], [0.0], [0.1], [0.9]])
    weights = np.array([3.0, -1, 4, 1, -5], np.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y)
        rate, decoder, _ = quantizer(y, training=True)
        cost = tf.reduce_sum(rate * weights)
    bounded = np.tanh(y.numpy())
    slopes = slope * (1 - bounded**2)
    np.testing.assert_allclose(tape.gradient(decoder, y), slopes * unit, rtol=1e-5)
    lower = np.clip(np.floor(bounded * slope + 2), 0, 3).astype(int)
    expected = slopes * (weights[lower + 1] - weights[lower])
    np.testing.assert_allclose(tape.gradient(cost, y), expected, rtol=1e-5)
