"""The conditional Gaussian: masses against NumPy and SciPy, coded bytes against bits, all grids."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from entropy import ConditionalGaussian
from entropy.conditional_gaussian import SCALES, scale_of
from quantizers.base.contract import Indices, Integers
from quantizers.base.grids import Affine, HalfIntegersAndZero, Layout

CHANNELS = 3
GRIDS = (Affine(), Affine(0.25, 1.0), Affine(-1.0, 2.0), HalfIntegersAndZero())


class OnGrid(Layout):
    def __init__(self, grid):
        super().__init__(CHANNELS)
        self._grid = grid

    def grids_of(self, number, symbols):
        return tf.fill(symbols.shape, self._grid)


@pytest.fixture(scope="module")
def model():
    model = ConditionalGaussian(channels=CHANNELS, alphabet=Integers(GRIDS))
    model.freeze()
    return model


def example(height, width, grid=0, seed=0):
    """Scale indexes all over the table, and the symbols of Gaussians of those scales."""
    rng = np.random.default_rng(seed)
    indexes = rng.integers(0, SCALES, (height, width, CHANNELS)).astype(np.int32)
    values = rng.normal(0, scale_of(tf.constant(indexes, tf.float32)).numpy())
    candidates = np.arange(-3000, 3001)
    places = GRIDS[grid](tf.constant(candidates, tf.float32)).numpy()
    symbols = candidates[np.abs(values[..., None] - places).argmin(-1)].astype(np.int32)
    return tf.constant(symbols), tf.constant(indexes)


def test_scales_are_the_published_table():
    scales = scale_of(tf.range(SCALES, dtype=tf.float32)).numpy()
    np.testing.assert_allclose(
        scales, np.exp(np.linspace(np.log(0.11), np.log(256), 64)), rtol=1e-5
    )


def test_bits_are_those_of_the_cell():
    values = np.linspace(-9.3, 9.1, 60).reshape(1, 4, 5, 3).astype(np.float32)
    indexes = np.linspace(12.5, 40, 60).reshape(values.shape).astype(np.float32)
    scales = scale_of(tf.constant(indexes)).numpy().astype(np.float64)
    wide = values.astype(np.float64)
    distance = np.abs(wide)  # in the lower tail differences keep their digits
    mass = scipy.stats.norm.cdf((0.5 - distance) / scales)
    mass -= scipy.stats.norm.cdf((-0.5 - distance) / scales)
    model = ConditionalGaussian(channels=3, alphabet=Integers())
    bits = model.bits(tf.constant(values), tf.constant(indexes))
    np.testing.assert_allclose(bits, [-np.log2(mass).sum()], rtol=1e-4)


@pytest.mark.parametrize("index", [0.0, 18.0, 24.0, 40.0, 63.0])
def test_masses_are_within_a_thousandth_in_the_tail(index):
    indexes = tf.fill([4000, 1, 1, 1], index)
    scales = scale_of(indexes).numpy().astype(np.float64)
    values = np.linspace(0, 16, 4000, dtype=np.float32).reshape(scales.shape) * np.float32(scales)
    bits = ConditionalGaussian(channels=1, alphabet=Integers()).bits(tf.constant(values), indexes)
    low, high = (scipy.stats.norm.logcdf((side - values) / scales) for side in (-0.5, 0.5))
    expected = high + np.log1p(-np.exp(low - high))
    np.testing.assert_allclose(-np.log(2) * bits, expected.ravel(), rtol=0, atol=1e-3)


def test_bits_and_their_gradients_are_finite_far_out():
    values = tf.constant([-1e4, -50, -0.5, 0, 0.5, 1e4], tf.float32)
    values = tf.tile(values[None, None, :, None], [1, 1, 1, 3])
    for index in (0.0, 17.5, 63.0):
        indexes = tf.fill(values.shape, index)
        with tf.GradientTape() as tape:
            tape.watch([values, indexes])
            bits = ConditionalGaussian(channels=3, alphabet=Integers()).bits(values, indexes)
        to_values, to_indexes = tape.gradient(bits, [values, indexes])
        assert np.isfinite(bits).all()
        assert np.isfinite(to_values).all() and np.isfinite(to_indexes).all()
        # The further out, the less likely: the gradient leads back.
        assert to_values[0, 0, 0, 0] < 0 < to_values[0, 0, -1, 0]


@pytest.mark.parametrize("grid", range(len(GRIDS)))
def test_coded_size_is_the_estimate_and_decodes(model, grid):
    symbols, indexes = example(40, 40, grid)
    layout = OnGrid(grid)
    coded = model.compress(symbols, layout, indexes)
    np.testing.assert_array_equal(model.decompress(coded, 40, 40, layout, indexes), symbols)
    estimate = model.symbol_bits(symbols, layout, indexes)
    assert abs(8 * len(coded) - estimate) <= 0.005 * estimate + 32
    if grid == 0:
        floats = [tf.cast(x[tf.newaxis], tf.float32) for x in (symbols, indexes)]
        # Not equal: the estimate knows the whole counts of rare symbols.
        assert estimate == pytest.approx(float(model.bits(*floats)[0]), rel=1e-3)


def test_the_estimate_knows_what_symbols_beyond_the_tables_cost(model):
    rng = np.random.default_rng(0)
    indexes = tf.constant(rng.integers(0, 30, (40, 40, CHANNELS)).astype(np.int32))
    symbols = tf.constant(np.round(rng.laplace(0, 30, indexes.shape)).astype(np.int32))
    coded = 8 * len(model.compress(symbols, Layout(CHANNELS), indexes))
    assert model.symbol_bits(symbols, Layout(CHANNELS), indexes) == pytest.approx(coded, rel=0.002)
    floats = [tf.cast(x[tf.newaxis], tf.float32) for x in (symbols, indexes)]
    assert float(model.bits(*floats)[0]) > 3 * coded, "far less than their probability says"


def test_the_estimate_knows_the_whole_counts_of_rare_symbols(model):
    """Within the widest table, where a model that went wrong has all its latents."""
    symbols = np.random.default_rng(0).integers(700, 1100, (40, 40, CHANNELS)).astype(np.int32)
    indexes = tf.fill(symbols.shape, SCALES - 1)
    coded = 8 * len(model.compress(tf.constant(symbols), Layout(CHANNELS), indexes))
    estimate = model.symbol_bits(tf.constant(symbols), Layout(CHANNELS), indexes)
    assert estimate == pytest.approx(coded, rel=0.002)
    floats = [tf.cast(x[tf.newaxis], tf.float32) for x in (symbols, indexes)]
    assert float(model.bits(*floats)[0]) > 1.1 * coded


def test_decodes_what_it_coded_also_far_outside_the_tables(model):
    symbols, indexes = example(6, 6)
    symbols = symbols.numpy()
    symbols[0, :5] = np.array([[10_000], [-10_000], [2**23], [-(2**23)], [0]])
    layout = Layout(CHANNELS)
    coded = model.compress(tf.constant(symbols), layout, indexes)
    np.testing.assert_array_equal(model.decompress(coded, 6, 6, layout, indexes), symbols)


@pytest.mark.parametrize("precision", [1, 8])
@pytest.mark.parametrize("grid", range(len(GRIDS)))
def test_a_scale_wider_than_any_table_is_coded_with_escapes(precision, grid):
    coarse = ConditionalGaussian(
        channels=CHANNELS, alphabet=Integers(GRIDS), range_coder_precision=precision
    )
    coarse.freeze()
    symbols, indexes = example(40, 40, grid)
    layout = OnGrid(grid)
    coded = coarse.compress(symbols, layout, indexes)
    np.testing.assert_array_equal(coarse.decompress(coded, 40, 40, layout, indexes), symbols)
    estimate = coarse.symbol_bits(symbols, layout, indexes)
    assert 8 * len(coded) == pytest.approx(estimate, rel=0.01)


def test_tables_come_back_from_a_checkpoint(model, tmp_path):
    symbols, indexes = example(8, 8)
    coded = model.compress(symbols, Layout(CHANNELS), indexes)
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "model"))
    restored = ConditionalGaussian(channels=CHANNELS, alphabet=Integers(GRIDS))
    tf.train.Checkpoint(model=restored).read(path).assert_consumed()
    decoded = restored.decompress(coded, 8, 8, Layout(CHANNELS), indexes)
    np.testing.assert_array_equal(decoded, symbols)


def test_wrong_scales_or_data_are_refused(model):
    symbols, indexes = example(8, 8)
    coded = model.compress(symbols, Layout(CHANNELS), indexes)
    with pytest.raises(ValueError, match="do not decode to 8 x 8 x 3 symbols"):
        model.decompress(coded + b"\x55" * 4, 8, 8, Layout(CHANNELS), indexes)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="codes integers, but the quantizer yields indices"):
        ConditionalGaussian(channels=3, alphabet=Indices((4,)))
    with pytest.raises(ValueError, match="needs a model that predicts scales"):
        ConditionalGaussian(channels=3, alphabet=Integers(), conditional=False)
    with pytest.raises(ValueError, match="channels=0 must be at least 1"):
        ConditionalGaussian(channels=0, alphabet=Integers())
