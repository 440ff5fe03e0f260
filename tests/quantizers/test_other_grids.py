"""Quantizers that do not round to the integers: learned step, dither, trellis, lattices."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from quantizers import (
    LatticeQuantizer,
    LearnedStep,
    StraightThrough,
    TrellisQuantizer,
    UniformNoise,
    UniversalQuantizer,
)
from quantizers.trellis import GRID_OF_STATE, NEXT


def latents(*shape, seed=0, spread=3):
    return np.random.default_rng(seed).normal(0, spread, shape).astype(np.float32)


def mean_squared(quantizer, y):
    decoded = quantizer(tf.constant(y), training=False).decoder_input.numpy()
    return np.mean((decoded.astype(np.float64) - y) ** 2)


class TestLearnedStep:
    def test_gradients_are_the_papers(self):
        y = latents(50, 4)
        quantizer = LearnedStep(rate=UniformNoise(seed=0), initial_step=0.7, largest_symbol=5)
        (step,) = quantizer.trainable_variables
        upstream = latents(50, 4, seed=1)
        source = tf.constant(y)
        with tf.GradientTape() as tape:
            tape.watch(source)
            decoder = quantizer(source, training=True).decoder_input
            loss = tf.reduce_sum(decoder * upstream)
        of_latents, of_step = tape.gradient(loss, [source, step])
        scaled = y.astype(np.float64) / np.float32(0.7)
        inside = np.abs(scaled) <= 5
        np.testing.assert_allclose(of_latents, np.where(inside, upstream, 0), atol=1e-5)
        local = np.where(inside, np.round(scaled) - scaled, 5 * np.sign(scaled))
        expected = (local * upstream).sum() / np.sqrt(y.size * 5)
        np.testing.assert_allclose(of_step, expected, rtol=1e-4)
        np.testing.assert_allclose(decoder, np.clip(np.round(scaled), -5, 5) * 0.7, atol=1e-5)

    def test_a_wider_step_costs_fewer_symbols(self):
        y = tf.constant(latents(1000))
        narrow, wide = (
            LearnedStep(rate=UniformNoise(seed=0), initial_step=step).encode(y)
            for step in (0.5, 2.0)
        )
        assert len(np.unique(narrow)) > 2 * len(np.unique(wide))

    def test_the_step_is_part_of_the_coding(self):
        quantizer = LearnedStep(rate=UniformNoise(seed=0))
        assert quantizer.coding_variables[0] is quantizer.trainable_variables[0]
        quantizer.trainable_variables[0].assign(-3.0)  # An optimizer may overshoot.
        assert np.isfinite(quantizer(tf.constant(latents(9)), training=True).decoder_input).all()


class TestUniversal:
    def make(self, **settings):
        return UniversalQuantizer(decoder=UniformNoise(seed=0), **settings)

    def test_the_error_is_uniform_whatever_the_latents(self):
        for value in (0.0, 0.3, 0.5):
            y = np.full([200, 200], value, np.float32)
            error = self.make()(tf.constant(y), training=False).decoder_input.numpy() - y
            assert np.abs(error).max() <= 0.5
            assert error.std() == pytest.approx(12**-0.5, rel=0.02)
            assert abs(error.mean()) < 0.01 + 1 / 32  # 16 levels: a little off where they tie

    def test_the_files_seed_decodes_and_another_does_not(self):
        y = latents(20, 20)
        coded = self.make(dither_seed=123_456_789)
        symbols = coded.encode(tf.constant(y))
        reader = self.make(dither_seed=5)
        np.testing.assert_array_equal(
            reader.decode(symbols, seed=123_456_789),
            coded(tf.constant(y), training=False).decoder_input,
        )
        assert np.abs(reader.decode(symbols) - y).max() > 0.5

    def test_rejects_a_seed_that_does_not_fit_the_file(self):
        with pytest.raises(ValueError, match="dither_seed=-1 must be 0 to"):
            self.make(dither_seed=-1)


def laplacian_bits(symbol, grid, spread):
    """By the density's integral over the symbol's cell."""
    starts = (0.25, 1.0) if grid else (0.5, 1.5)
    near, far = (starts[0] if n == 0 else starts[1] + n - 1 for n in (abs(symbol) - 1, abs(symbol)))
    tail = [np.exp(-end / spread) for end in (near, far)]
    return -np.log2(1 - np.exp(-starts[0] / spread) if symbol == 0 else (tail[0] - tail[1]) / 2)


class TestTrellis:
    def make(self, **options):
        return TrellisQuantizer(decoder=StraightThrough(), rate=UniformNoise(seed=0), **options)

    @pytest.mark.parametrize("bit_weight", [0.0, 0.2])
    def test_finds_the_best_of_all_paths(self, bit_weight):
        y = latents(30, 5, spread=1)

        @functools.cache
        def cost_of_one(channel, state, symbol):
            place = symbol - 0.5 * np.sign(symbol) * GRID_OF_STATE[state]
            bits = laplacian_bits(symbol, GRID_OF_STATE[state], np.abs(y[:, channel]).mean())
            return (y[:, channel] - place) ** 2 + bit_weight * bits

        def cost_of(symbols):
            state, cost = 0, np.zeros(len(y))
            for channel, symbol in enumerate(symbols):
                cost += cost_of_one(channel, state, symbol)
                state = NEXT[state, symbol % 2]
            return cost

        found = self.make(bit_weight=bit_weight).encode(tf.constant(y)).numpy()
        ours = np.array([cost_of(symbols)[number] for number, symbols in enumerate(found)])
        best = np.min([cost_of(each) for each in itertools.product(range(-4, 5), repeat=5)], axis=0)
        # The exhaustive search is bounded; where latents fit into it the two agree.
        inside = np.abs(y).max(-1) < 3
        assert inside.sum() > 20
        np.testing.assert_allclose(ours[inside], best[inside], rtol=1e-4)

    def test_bits_have_a_price(self):
        y = latents(200, 64, spread=1)
        weights = (0.0, 0.08, 0.5)
        found = [self.make(bit_weight=weight).encode(tf.constant(y)).numpy() for weight in weights]
        zeros = [np.mean(symbols == 0) for symbols in found]
        assert zeros[0] + 0.02 < zeros[1] and zeros[1] + 0.1 < zeros[2]
        with pytest.raises(ValueError, match="bit_weight=-1 must be at least 0 and finite"):
            self.make(bit_weight=-1)

    def test_its_error_is_a_trellis_gain_below_roundings(self):
        y = np.random.default_rng(0).uniform(-50, 50, [400, 64]).astype(np.float32)
        # 4 states gain .99 dB over rounding at equal cell width (Marcellin & Fischer 1990, long
        # paths); starting each of 64 symbols in one state costs a little of it.
        gain = 10 * np.log10(1 / 12 / mean_squared(self.make(), y))
        assert gain == pytest.approx(0.95, abs=0.06)

    def test_has_no_levels(self):
        with pytest.raises(TypeError, match="levels"):
            self.make(levels=4)

    def test_small_latents_stay_zero(self):
        symbols = self.make().encode(tf.constant(latents(10, 64, spread=0.02)))
        assert not symbols.numpy().any()


class TestLattice:
    # Normalized second moments of the cells (Conway & Sloane, table 2.3).
    MOMENTS = (("D4", 4, 0.076603), ("E8", 8, 0.071682))

    @pytest.mark.parametrize(("lattice", "dimension", "moment"), MOMENTS)
    def test_has_the_second_moment_of_its_cell(self, lattice, dimension, moment):
        quantizer = LatticeQuantizer(lattice=lattice, rate=UniformNoise(seed=0))
        y = np.random.default_rng(0).uniform(-40, 40, [60_000, dimension]).astype(np.float32)
        assert mean_squared(quantizer, y) == pytest.approx(moment, rel=0.01)

    @pytest.mark.parametrize(("lattice", "dimension", "moment"), MOMENTS)
    def test_dither_is_uniform_over_the_cell(self, lattice, dimension, moment):
        quantizer = LatticeQuantizer(lattice=lattice, rate=UniformNoise(seed=0), dither=3)
        y = tf.zeros([60_000, dimension])
        noise = quantizer(y, training=True).decoder_input.numpy()
        assert np.mean(noise.astype(np.float64) ** 2) == pytest.approx(moment, rel=0.01)
        # Every point of the cell is nearer to the origin than to any other lattice point.
        assert not quantizer.encode(tf.constant(0.999 * noise)).numpy().any()

    @pytest.mark.parametrize("lattice", ["D4", "E8"])
    def test_points_are_the_lattices_and_nearest(self, lattice):
        dimension, scale = (4, 2**-0.25) if lattice == "D4" else (8, 1.0)
        quantizer = LatticeQuantizer(lattice=lattice, rate=UniformNoise(seed=0))
        y = latents(300, dimension)
        points = quantizer(tf.constant(y), training=False).decoder_input.numpy() / np.float32(scale)
        whole = np.abs(points - np.round(points)).max(-1) < 1e-5
        moved = np.abs(points - 0.5 - np.round(points - 0.5)).max(-1) < 1e-5
        assert (whole | moved).all() and (lattice == "E8") == moved.any()
        coordinates = np.round(np.where(whole[:, None], points, points - 0.5))
        assert not (coordinates.sum(-1) % 2).any()
        # No neighbour (a shortest vector away) is nearer.
        short = [v for v in itertools.product((-1, 0, 1), repeat=dimension) if np.abs(v).sum() == 2]
        if lattice == "E8":
            signs = np.array(list(itertools.product((-0.5, 0.5), repeat=8)))
            short = np.concatenate([short, signs[(signs < 0).sum(-1) % 2 == 0]])
        distance = ((points - y / scale) ** 2).sum(-1)
        for vector in np.array(short):
            assert (distance <= ((points + vector - y / scale) ** 2).sum(-1) + 1e-4).all()

    def test_channels_behind_the_last_block_are_rounded(self):
        quantizer = LatticeQuantizer(lattice="D4", rate=UniformNoise(seed=0))
        y = latents(50, 6)
        values = quantizer(tf.constant(y), training=False).decoder_input.numpy()
        np.testing.assert_array_equal(values[:, 4:], np.round(y[:, 4:]))

    def test_rejects_an_unknown_lattice(self):
        with pytest.raises(ValueError, match="lattice='A2' must be one of D4, E8"):
            LatticeQuantizer(lattice="A2", rate=UniformNoise(seed=0))
