"""Grids: where on the line the symbols of a scalar quantizer lie.

Rounding has one grid, the integers. A dither shifts it, a trellis switches between two, a lattice
coordinate may depend on those before it. To an entropy model a grid is an increasing function from
the symbol axis to the line: symbol k lies at ``grid(k)``, and its cell extends from
``grid(k - 1/2)`` to ``grid(k + 1/2)``.
"""

from __future__ import annotations

import dataclasses
from typing import List, Sequence

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Affine:
    """Equally spaced points: ``offset + step * k``."""

    offset: float = 0.0
    step: float = 1.0

    def __call__(self, symbols: tf.Tensor) -> tf.Tensor:
        """Positions on the line of float32 points of the symbol axis; same shape."""
        return self.offset + self.step * symbols


@dataclasses.dataclass(frozen=True)
class HalfIntegersAndZero:
    """``k - sign(k) / 2``: the half-integers, with 0 between them."""

    def __call__(self, symbols: tf.Tensor) -> tf.Tensor:
        """Positions on the line of float32 points of the symbol axis; same shape."""
        distance = tf.abs(symbols)
        return tf.sign(symbols) * tf.maximum(distance / 2, distance - 0.5)


INTEGER_GRID = Affine()


class Layout:
    """In which order the channels of one array are coded, and on which grids.

    This one codes all channels at once on the first grid; a subclass may split them into passes.

    Attributes:
        passes: channel numbers of each pass, int arrays; each channel is in one of them.
    """

    def __init__(self, channels: int):
        """Takes the number of symbol channels."""
        self.passes: List[np.ndarray] = [np.arange(channels)]

    def grids_of(self, number: int, symbols: tf.Tensor) -> tf.Tensor:
        """Grid numbers of one pass.

        Args:
            number: the number of the pass, from 0.
            symbols: int32 ``[..., channels]``; only channels of earlier passes may be read.

        Returns:
            int32 ``[..., channels of the pass]``.
        """
        del number
        return tf.zeros_like(symbols)


class JoinedLayout(Layout):
    """Layouts of neighbouring groups of channels, coded one group after the other."""

    def __init__(self, layouts: Sequence[Layout]):
        """Takes one layout per group, in the order of the channels."""
        self.passes = []
        self._owners = []  # Of each pass: its layout, its number there, and the group's channels.
        start = 0
        for layout in layouts:
            stop = start + sum(len(channels) for channels in layout.passes)
            for number, channels in enumerate(layout.passes):
                self.passes.append(start + channels)
                self._owners.append((layout, number, slice(start, stop)))
            start = stop

    def grids_of(self, number: int, symbols: tf.Tensor) -> tf.Tensor:
        """Grid numbers of one pass, which depend on symbols of their own group only."""
        layout, number, channels = self._owners[number]
        return layout.grids_of(number, symbols[..., channels])
