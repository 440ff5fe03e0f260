"""Lattice quantization: nearest point of D4 or E8 in blocks of neighbouring channels.

Lei, Hassani, Saeedi Bidokhti 2024, "Approaching Rate-Distortion Limits in Neural Compression with
Lattice Transform Coding", arXiv 2403.07320; nearest points after Conway & Sloane 1982, "Fast
quantizing and decoding algorithms for lattice quantizers and codes".

Both lattices are scaled to one point per unit volume, so that a rate evaluated on uniform noise
stays comparable. Symbols are integers in the lattice's own coordinates: the last one of a block is
halved, because the others determine its parity, and with E8 the first one says whether the block
lies on integers or half-integers. Nothing is coded twice.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional

import tensorflow as tf

from quantizers.base.contract import Integers, Quantized, Quantizer, ScalarSurrogate, check_slots
from quantizers.base.grids import INTEGER_GRID, Affine, Layout

LARGEST_COORDINATE = 2.0**21


class Lattice(NamedTuple):
    """Integer vectors of even sum; ``cosets``: also those shifted by 1/2 in all coordinates."""

    dimension: int
    cosets: bool
    scale: float


LATTICES = {"D4": Lattice(4, False, 2**-0.25), "E8": Lattice(8, True, 1.0)}

# Grid numbers. A coordinate is free, or its parity is known (even or odd); E8 has each of these
# shifted by one half, too, and a first coordinate that says which.
FREE, EVEN, ODD, HALVES, PLAIN = 0, 1, 2, 6, 7
MOVED = 3


class LatticeQuantizer(Quantizer):
    """Rounds blocks of channels to a lattice; channels after the last full block to integers."""

    def __init__(
        self,
        *,
        lattice: str,
        rate: ScalarSurrogate,
        dither: Optional[int] = None,
        hard_from_step: Optional[int] = None,
    ):
        """Chooses the lattice.

        Args:
            lattice: D4 or E8.
            rate: surrogate of the rate's slot.
            dither: None: in training the decoder sees the nearest point, straight-through. A seed:
                it sees latents plus noise that is uniform over the lattice's cell.
            hard_from_step: see ``Quantizer``.

        Raises:
            ValueError: no such lattice, no surrogate, or a step below 0.
        """
        super().__init__(name=type(self).__name__)
        if lattice not in LATTICES:
            raise ValueError(f"lattice={lattice!r} must be one of {', '.join(LATTICES)}.")
        check_slots(rate=rate)
        self._set_hard_from_step(hard_from_step)
        self._name_of_lattice = lattice
        self._lattice = LATTICES[lattice]
        self._rate = rate
        self._generator = (
            None if dither is None else tf.random.Generator.from_seed(dither, alg="philox")
        )

    @property
    def alphabet(self) -> Integers:
        """One symbol per latent, on grids in the order of the grid numbers."""
        s = self._lattice.scale
        moved = [Affine(s / 2, s), Affine(s / 2, 2 * s), Affine(3 * s / 2, 2 * s)]
        return Integers(
            (
                *(Affine(0, s), Affine(0, 2 * s), Affine(s, 2 * s)),
                # Only E8 needs these.
                *(moved if self._lattice.cosets else ()),
                *((Affine(0, s / 2),) if self._lattice.cosets else ()),
                INTEGER_GRID,
            )
        )

    def _train(self, latents: tf.Tensor) -> Quantized:
        if self._generator is None:
            error = self.decode(self.encode(latents)) - latents
        else:
            # The lattices contain every vector of even coordinates: a box of side 2 holds whole
            # cells in equal shares, so the rounding error of a uniform point in it is uniform over
            # a cell.
            side = 2 * self._lattice.scale
            points = self._generator.uniform(tf.shape(latents), 0.0, side)
            error = self.decode(self.encode(points)) - points
        return Quantized(self._rate(latents), latents + tf.stop_gradient(error), tf.zeros([]))

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        blocks, rest, shape = self._split(tf.cast(latents, tf.float32))
        blocks = tf.clip_by_value(
            blocks / self._lattice.scale, -LARGEST_COORDINATE, LARGEST_COORDINATE
        )
        rest = tf.clip_by_value(rest, -LARGEST_COORDINATE, LARGEST_COORDINATE)
        points = _nearest_of_even_sum(blocks)
        coset = tf.zeros_like(points[..., :1])
        if self._lattice.cosets:
            moved = _nearest_of_even_sum(blocks - 0.5)
            nearer = _distance(moved, blocks - 0.5) < _distance(points, blocks)
            coset = tf.cast(nearer, tf.float32)
            points = tf.where(nearer, moved, points)
        first, middle, last = points[..., :1], points[..., 1:-1], points[..., -1:]
        if self._lattice.cosets:
            first = 2 * first + coset
        last = (last - _parity(points[..., :-1])) / 2
        symbols = tf.concat([first, middle, last], axis=-1)
        return tf.cast(self._join(symbols, tf.round(rest), shape), tf.int32)

    def decode(self, symbols: tf.Tensor, seed: Optional[int] = None) -> tf.Tensor:
        del seed
        blocks, rest, shape = self._split(tf.cast(symbols, tf.float32))
        first, middle, last = blocks[..., :1], blocks[..., 1:-1], blocks[..., -1:]
        half = 0.0
        if self._lattice.cosets:
            coset = tf.math.floormod(first, 2.0)
            first, half = (first - coset) / 2, coset / 2
        parity = _parity(tf.concat([first, middle], axis=-1))
        points = tf.concat([first, middle, 2 * last + parity], axis=-1) + half
        return self._join(points * self._lattice.scale, rest, shape)

    def layout(self, channels: int, seed: Optional[int] = None) -> Layout:
        """First coordinates, then the middle ones, then the last, whose parity is then known."""
        del seed
        return _LatticeLayout(channels, self._lattice)

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"lattice": self._name_of_lattice}

    def _split(self, values: tf.Tensor):
        """Blocks ``[..., blocks, dimension]``, channels left over, and the shape to return to."""
        shape = tf.shape(values)
        values = values if values.shape.rank else values[tf.newaxis]
        channels = values.shape[-1]
        whole = channels // self._lattice.dimension * self._lattice.dimension
        outer = tf.shape(values)[:-1]
        form = tf.concat([outer, [whole // self._lattice.dimension, self._lattice.dimension]], 0)
        return tf.reshape(values[..., :whole], form), values[..., whole:], shape

    @staticmethod
    def _join(blocks: tf.Tensor, rest: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
        count = blocks.shape[-2] * blocks.shape[-1]
        flat = tf.reshape(blocks, tf.concat([tf.shape(blocks)[:-2], [count]], 0))
        return tf.reshape(tf.concat([flat, rest], axis=-1), shape)


class _LatticeLayout(Layout):
    def __init__(self, channels: int, lattice: Lattice):
        super().__init__(channels)
        self._lattice = lattice
        n = lattice.dimension
        number = self.passes[0]
        self._whole = channels // n * n
        inside = number < self._whole
        last = inside & (number % n == n - 1)
        first = inside & (number % n == 0)
        self.passes = [number[first | ~inside], number[inside & ~first & ~last], number[last]]

    def grids_of(self, number: int, symbols: tf.Tensor) -> tf.Tensor:
        n, channels = self._lattice.dimension, self.passes[number]
        cosets = self._lattice.cosets
        if number == 0:
            plain = PLAIN if cosets else MOVED
            first = HALVES if cosets else FREE
            numbers = tf.constant([first if c < self._whole else plain for c in channels], tf.int32)
            return tf.broadcast_to(numbers, tf.concat([tf.shape(symbols)[:-1], [len(channels)]], 0))
        outer = tf.shape(symbols)[:-1]
        blocks = tf.reshape(
            symbols[..., : self._whole], tf.concat([outer, [self._whole // n, n]], 0)
        )
        coset = blocks[..., :1] % 2 if cosets else tf.zeros_like(blocks[..., :1])
        if number == 1:
            numbers = tf.repeat(MOVED * coset + FREE, n - 2, axis=-1)
        else:
            first = (blocks[..., :1] - coset) // 2 if cosets else blocks[..., :1]
            known = tf.concat([first, blocks[..., 1:-1]], axis=-1)
            parity = tf.reduce_sum(known, axis=-1, keepdims=True) % 2
            numbers = MOVED * coset + EVEN + parity
        return tf.reshape(numbers, tf.concat([outer, [len(channels)]], 0))


def _nearest_of_even_sum(points: tf.Tensor) -> tf.Tensor:
    """Nearest integer vectors ``[..., n]`` whose coordinates have an even sum."""
    nearest = tf.round(points)
    error = points - nearest
    # Where the sum is odd, the coordinate farthest from its integer moves to the other neighbour.
    worst = tf.one_hot(tf.argmax(tf.abs(error), axis=-1), points.shape[-1])
    towards = tf.where(error >= 0, 1.0, -1.0)
    return nearest + _parity(nearest) * worst * towards


def _parity(coordinates: tf.Tensor) -> tf.Tensor:
    """0 or 1 for integers ``[..., n]``: float32 ``[..., 1]``, exact even where the sum is not."""
    return tf.math.floormod(
        tf.reduce_sum(tf.math.floormod(coordinates, 2.0), axis=-1, keepdims=True), 2.0
    )


def _distance(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.math.squared_difference(a, b), axis=-1, keepdims=True)
