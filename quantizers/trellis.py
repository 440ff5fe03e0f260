"""Trellis-coded quantization: two grids, and a path of parities that selects between them.

Li et al. 2020, "Deep learning-based image compression with trellis coded quantization",
arXiv 2001.09417; trellis and grids are those of dependent quantization in video coding (Schwarz et
al. 2019, "Hybrid video coding with trellis-coded quantization"), which keeps 0 in both grids.
"""

from __future__ import annotations

import math
from typing import List, Optional, Tuple

import numpy as np
import tensorflow as tf

from quantizers.base.contract import Integers, ScalarSurrogate
from quantizers.base.grids import INTEGER_GRID, HalfIntegersAndZero, Layout
from quantizers.base.scalar import LARGEST_SYMBOL, ScalarQuantizer

GRIDS = (INTEGER_GRID, HalfIntegersAndZero())
GRID_OF_STATE = np.array([0, 0, 1, 1])
NEXT = np.array([[0, 2], [2, 0], [1, 3], [3, 1]])
"""State after ``[state, parity of the symbol]``. Each path starts in state 0."""

CANDIDATES = np.arange(-2, 3)
"""Offsets from the nearest integer that include either parity's nearest symbol on both grids."""

SMALLEST_SPREAD = 0.02
"""In latents; a channel that is 0 nearly everywhere has a finite number of bits for the rest."""


class TrellisQuantizer(ScalarQuantizer):
    """A scalar surrogate in training; afterwards a Viterbi search along the channels.

    At each position of the latents one path leads through the channels. A symbol is coded with the
    tables of the grid that the path is on; together the grids are twice as fine as the integers.
    The search minimizes ``squared error + bit_weight * bits``. Only the entropy model knows the
    bits; the search takes them from a Laplacian density with the spread that the channel has in the
    latents at hand.
    """

    def __init__(
        self,
        *,
        decoder: ScalarSurrogate,
        rate: Optional[ScalarSurrogate] = None,
        hard_from_step: Optional[int] = None,
        bit_weight: float = 0.0,
    ):
        """Fills the slots for training, see ``ScalarQuantizer``, and sets the weight of bits.

        Args:
            decoder: surrogate of the decoder's slot.
            rate: surrogate of the rate's slot.
            hard_from_step: see ``ScalarQuantizer``.
            bit_weight: squared error that one bit is worth, at least 0; 0 ignores bits. In theory
                ln(2) / 6 = 0.1155: where rounding to the integers is optimal at high rates.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(decoder=decoder, rate=rate, hard_from_step=hard_from_step)
        if not 0 <= bit_weight < math.inf:
            raise ValueError(f"bit_weight={bit_weight} must be at least 0 and finite.")
        self._bit_weight = bit_weight

    @property
    def alphabet(self) -> Integers:
        """Integers on two grids."""
        return Integers(GRIDS)

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        latents = tf.cast(latents, tf.float32)
        flat = tf.reshape(latents, [-1, latents.shape[-1] if latents.shape.rank else 1])
        flat = tf.clip_by_value(flat, -LARGEST_SYMBOL / 2, LARGEST_SYMBOL / 2)
        spreads = None
        if self._bit_weight > 0:
            spreads = tf.reduce_mean(tf.abs(flat), axis=0)[:, tf.newaxis, tf.newaxis]
        # [channels, points, grid, 2]
        errors, symbols = _best_of_each_parity(tf.transpose(flat), self._bit_weight, spreads)
        errors = tf.gather(errors, GRID_OF_STATE, axis=2)  # [channels, points, state, parity]
        best = _viterbi(errors)  # [channels, points]: 2 * state + parity
        symbols = tf.gather(symbols, GRID_OF_STATE, axis=2)
        symbols = tf.reshape(symbols, tf.concat([tf.shape(best), [2 * len(NEXT)]], 0))
        chosen = tf.gather(symbols, best, axis=2, batch_dims=2)
        return tf.reshape(tf.transpose(chosen), tf.shape(latents))

    def decode(self, symbols: tf.Tensor, seed: Optional[int] = None) -> tf.Tensor:
        del seed
        rows = tf.reshape(symbols, [-1, symbols.shape[-1] if symbols.shape.rank else 1])
        start = tf.zeros_like(rows[:, 0])
        states = tf.scan(_next_state, tf.transpose(rows)[:-1], initializer=start)
        states = tf.transpose(tf.concat([start[tf.newaxis], states], axis=0))
        on_grid = tf.gather(GRID_OF_STATE, tf.reshape(states, tf.shape(symbols)))
        points = tf.cast(symbols, tf.float32)
        return tf.where(on_grid == 0, GRIDS[0](points), GRIDS[1](points))

    def layout(self, channels: int, seed: Optional[int] = None) -> Layout:
        """Channel by channel: each symbol's parity selects the next one's grid."""
        del seed
        return _PathLayout(channels)


class _PathLayout(Layout):
    def __init__(self, channels: int):
        super().__init__(channels)
        self.passes: List[np.ndarray] = [np.array([channel]) for channel in range(channels)]

    def grids_of(self, number: int, symbols: tf.Tensor) -> tf.Tensor:
        # Passes come in order and depend on the previous symbol: the state is kept between them.
        if number == 0:
            self._states = tf.zeros_like(symbols[..., :1])
        else:
            self._states = _next_state(self._states, symbols[..., number - 1 : number])
        return tf.cast(tf.gather(GRID_OF_STATE, self._states), tf.int32)


def _next_state(states: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
    return tf.gather(tf.constant(NEXT.reshape(-1), tf.int32), 2 * states + symbols % 2)


def _best_of_each_parity(
    latents: tf.Tensor, bit_weight: float, spreads: Optional[tf.Tensor]
) -> Tuple[tf.Tensor, tf.Tensor]:
    """Costs float32 and symbols int32, ``[..., grid, parity]``, for ``[...]``.

    Spreads, of the candidates' form ``[..., 1]``, count only with a weight of bits.
    """
    candidates = tf.round(latents)[..., tf.newaxis] + tf.constant(CANDIDATES, tf.float32)
    odd = tf.math.floormod(candidates, 2.0)
    errors, symbols = [], []
    for grid in GRIDS:
        costs = tf.math.squared_difference(grid(candidates), latents[..., tf.newaxis])
        if spreads is not None:
            costs += bit_weight * _laplacian_bits(grid, candidates, spreads)
        for parity in (0.0, 1.0):
            of_parity = tf.where(odd == parity, costs, np.inf)
            best = tf.argmin(of_parity, axis=-1)
            errors.append(tf.gather(of_parity, best, axis=-1, batch_dims=latents.shape.rank))
            symbols.append(tf.gather(candidates, best, axis=-1, batch_dims=latents.shape.rank))
    form = tf.concat([tf.shape(latents), [len(GRIDS), 2]], 0)
    return (
        tf.reshape(tf.stack(errors, axis=-1), form),
        tf.cast(tf.reshape(tf.stack(symbols, axis=-1), form), tf.int32),
    )


def _laplacian_bits(grid, symbols: tf.Tensor, spreads: tf.Tensor) -> tf.Tensor:
    """Bits of symbols under Laplacian densities of mean 0 and given mean magnitudes."""
    spreads = tf.maximum(spreads, SMALLEST_SPREAD)
    magnitudes = tf.abs(symbols)
    near, far = grid(magnitudes - 0.5), grid(magnitudes + 0.5)
    log_zero = tf.math.log(-tf.math.expm1(-grid(0.5 * tf.ones_like(symbols)) / spreads))
    log_others = tf.math.log(-tf.math.expm1((near - far) / spreads) / 2) - near / spreads
    return tf.where(symbols == 0, log_zero, log_others) / -math.log(2)


def _viterbi(errors: tf.Tensor) -> tf.Tensor:
    """Branches ``2 * state + parity`` of the best path through ``[channels, points, state, 2]``."""
    # The two branches that lead into each state.
    into = np.array([np.flatnonzero(NEXT.reshape(-1) == state) for state in range(len(NEXT))])
    points = tf.shape(errors)[1]
    start = tf.tile([[0.0] + [np.inf] * (len(NEXT) - 1)], [points, 1])

    def forward(state, error):
        costs, _ = state
        branches = tf.reshape(costs[..., tf.newaxis] + error, [points, 2 * len(NEXT)])
        arriving = tf.gather(branches, into, axis=1)  # [points, next state, 2]
        chosen = tf.gather(
            tf.broadcast_to(into, tf.shape(arriving)),
            tf.argmin(arriving, axis=-1),
            axis=-1,
            batch_dims=2,
        )
        lowest = tf.reduce_min(arriving, axis=-1)
        # Only differences matter; subtracting keeps the sums small and their digits.
        return lowest - tf.reduce_min(lowest, axis=-1, keepdims=True), chosen

    nothing = tf.zeros([points, len(NEXT)], into.dtype)
    costs, arrivals = tf.scan(forward, errors, initializer=(start, nothing))
    last = tf.cast(tf.argmin(costs[-1], axis=-1), into.dtype)

    def backward(branch_and_state, arrival):
        _, state = branch_and_state
        branch = tf.gather(arrival, state, axis=1, batch_dims=1)
        return branch, branch // 2

    branches, _ = tf.scan(backward, arrivals, initializer=(last, last), reverse=True)
    return branches
