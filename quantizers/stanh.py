"""A staircase of tanh steps whose thresholds and levels are learned.

Presta et al. 2024, "STanH: Parametric quantization for variable rate learned image compression",
arXiv 2410.00557. We could read the abstract, a summary and the authors' published code, not the
paper in full; formula, start and hard staircase are those of the code. Our choices:

- the staircase is odd, as in one of two variants there;
- the variables are widths of cells and heights of steps, so thresholds cannot change their order;
- beyond the last threshold steps of 1 continue, where the authors' staircase ends;
- the rate is evaluated on noise, in units of the cells, where theirs is that of the relaxed values;
- beta follows a schedule; in the code it grows with the distance from relaxed to hard values.
"""

from __future__ import annotations

import itertools
from typing import Dict, Optional, Sequence, Union

import tensorflow as tf

from quantizers.base.annealing import Annealed
from quantizers.base.bounds import lower_bound
from quantizers.base.contract import Quantized, Quantizer, ScalarSurrogate, check_slots
from quantizers.base.scalar import LARGEST_SYMBOL
from quantizers.base.schedules import Schedule, as_schedule
from quantizers.base.soft_rounding import soft_round

SMALLEST = 1e-3
"""Width of a cell and height of a step, at least."""

MOST_THRESHOLDS = 127


class StanhQuantizer(Quantizer):
    """``sum_i w_i / 2 tanh(beta (y - b_i))`` for the decoder; then its limit.

    i runs over the thresholds on both sides of 0: ``b_-i = -b_i`` and ``w_-i = w_i``. Symbol k > 0
    is the cell from b_k to b_(k + 1), decoded as ``w_1 + ... + w_k``, and -k its mirror image. One
    set of b and w serves all latents. They start as rounding: b at the half-integers, w = 1.

    The rate is evaluated on latents that are stretched within each cell so that the thresholds are
    the half-integers. The entropy model sees the grid of the integers, and a wider cell costs fewer
    bits.
    """

    equal_cells = False

    def __init__(
        self,
        *,
        rate: ScalarSurrogate,
        beta: Union[float, Schedule],
        thresholds: int = 10,
    ):
        """Creates widths and heights.

        Args:
            rate: surrogate of the rate's slot, applied to the stretched latents.
            beta: inverse temperature of the tanh, positive; number or schedule.
            thresholds: learned on each side of 0, 1 to 127; each costs two tanh a latent.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name=type(self).__name__)
        check_slots(rate=rate)
        schedule = as_schedule(beta)
        if schedule.bounds[0] <= 0:
            raise ValueError(f"beta={beta!r} must be positive at every step.")
        if not isinstance(thresholds, int) or not 1 <= thresholds <= MOST_THRESHOLDS:
            raise ValueError(
                f"thresholds={thresholds!r} must be a whole number from 1 to {MOST_THRESHOLDS}."
            )
        self._rate = rate
        self._beta = Annealed(schedule, "beta")
        self._count = thresholds
        # Of the cells of symbols 0 to thresholds - 1; those of negative symbols are as wide.
        self._widths = tf.Variable(tf.ones([thresholds]), name="widths")
        self._heights = tf.Variable(tf.ones([thresholds]), name="heights")

    def _train(self, latents: tf.Tensor) -> Quantized:
        latents = _bounded(latents)
        return Quantized(
            self._rate(self._stretched(latents)), self._staircase(latents), tf.zeros([])
        )

    def _rate_input(self, symbols: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        del values
        return tf.cast(symbols, tf.float32)

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        # On a threshold the even symbol, as in rounding.
        stretched = self._stretched(_bounded(tf.cast(latents, tf.float32)))
        return tf.cast(tf.round(stretched), tf.int32)

    def decode(self, symbols: tf.Tensor, seed: Optional[int] = None) -> tf.Tensor:
        del seed
        symbols = tf.cast(symbols, tf.float32)
        steps = tf.abs(symbols)
        learned = tf.minimum(steps, float(self._count))
        # Summed one by one: the order of tf.cumsum, and so its last digit, depends on the device.
        heights = tf.unstack(lower_bound(self._heights, SMALLEST))
        levels = tf.stack(list(itertools.accumulate(heights, initial=tf.zeros([]))))
        level = tf.gather(levels, tf.cast(learned, tf.int32))
        return tf.sign(symbols) * (level + (steps - learned))

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"thresholds": self._count}

    @property
    def coding_variables(self) -> Sequence[tf.Variable]:
        return (self._widths, self._heights)

    def _thresholds(self) -> tf.Tensor:
        """Those above 0, ascending: float32 ``[thresholds]``."""
        widths = lower_bound(self._widths, SMALLEST)
        return tf.cumsum(widths) - widths[0] / 2  # 0 is in the middle of its cell.

    def _stretched(self, latents: tf.Tensor) -> tf.Tensor:
        """Latents on the symbol axis: b_k at ``k - 1/2``, linear between; the latents' shape."""
        thresholds = self._thresholds()
        # As differences, or rounding errors could stretch a cell beyond the start of the next.
        widths = tf.concat([2 * thresholds[:1], thresholds[1:] - thresholds[:-1], [1.0]], 0)
        # Not tf.sign, whose 0 at 0 would also be the gradient there.
        signs = tf.where(latents < 0, -1.0, 1.0)
        distances = tf.reshape(signs * latents, [-1])
        cells = tf.searchsorted(thresholds, distances, side="right")
        start = tf.gather(tf.concat([[0.0], thresholds], 0), cells)
        width = tf.gather(widths, cells)
        place = tf.maximum(tf.cast(cells, tf.float32) - 0.5, 0.0) + (distances - start) / width
        # Very narrow cells would stretch the furthest latents beyond what decoders accept.
        place = tf.clip_by_value(place, 0.0, LARGEST_SYMBOL)
        return signs * tf.reshape(place, tf.shape(latents))

    def _staircase(self, latents: tf.Tensor) -> tf.Tensor:
        """The sum of tanh steps up to half a step beyond the last threshold, then soft rounding."""
        thresholds = self._thresholds()
        end = thresholds[-1] + 0.5
        inner = tf.clip_by_value(latents, -end, end)
        beta, y = self._beta.value, inner[..., tf.newaxis]
        steps = tf.tanh(beta * (y - thresholds)) + tf.tanh(beta * (y + thresholds))
        heights = lower_bound(self._heights, SMALLEST)
        return tf.tensordot(steps, heights / 2, 1) + soft_round(latents - inner, beta)


def _bounded(latents: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(latents, -LARGEST_SYMBOL, LARGEST_SYMBOL)
