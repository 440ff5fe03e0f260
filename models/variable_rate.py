"""One model for every rate: gains before the quantizer, undone after it.

Cui et al. 2020, "Asymmetric gained deep image compression with continuous rate adaptation", arXiv
2003.02012. Latents times a gain are rounded to a finer grid, so the quantizer's own grid stays the
integers. Each channel has a gain for a few qualities; between them, their logarithms are
interpolated. The entropy model predicts latents without their gains, which then multiply the
predicted means and scales, as in CompressAI's models of variable rate.

A decoder must repeat the arithmetic exactly. In coding, gains are whole steps of 1/256 octave,
taken from a table of correctly rounded powers, and all interpolation is of whole numbers.
"""

from __future__ import annotations

import decimal
import math
from typing import List, NamedTuple, Optional, Sequence

import numpy as np
import tensorflow as tf

from entropy.conditional_gaussian import LARGEST_SCALE, SCALES, SMALLEST_SCALE

LARGEST_QUALITY, STEPS_PER_QUALITY = 100, 100
"""Files hold the quality in hundredths."""

_MOST = LARGEST_QUALITY * STEPS_PER_QUALITY

LEVELS = 33
"""Sets of coding tables of an entropy model that predicts nothing.

Between two of them gains differ by some 5 % (the root of the weights' ratio): the scale of a table
is off by half of that at most, and what this costs grows with its square.
"""

STEPS_PER_OCTAVE = 256

INDEXES_PER_OCTAVE = (SCALES - 1) / math.log2(LARGEST_SCALE / SMALLEST_SCALE)
"""Scale indexes between a scale and its double."""


class RateSetting(NamedTuple):
    """What a model of variable rate is set to.

    Attributes:
        gains: float32 ``[batch or 1, 1, 1, channels]``, above 0.
        index_shifts: float32, the same shape: what they add to scale indexes.
        context: float32 ``[batch or 1, 1, 1, context channels]``: the rate, as
            it enters an entropy model with a context; None without one.
        quality: in hundredths, 0 to 10000: what a file holds; None while training, when each
            example of the batch has its own.
        lmbda: the weight of the distortion at this quality, float32 ``[batch or 1]``.
    """

    gains: tf.Tensor
    index_shifts: tf.Tensor
    context: Optional[tf.Tensor]
    quality: Optional[int]
    lmbda: tf.Tensor

    def split(self, sizes: Sequence[int]) -> List[RateSetting]:
        """The settings of slices of so many channels."""
        parts = (tf.split(values, sizes, axis=-1) for values in (self.gains, self.index_shifts))
        return [self._replace(gains=g, index_shifts=s) for g, s in zip(*parts)]


class VariableRate(tf.Module):
    """Gains of all channels from the lowest to the highest quality.

    Quality 0 is the least of the weights that the model is trained with, quality 100 the largest;
    equal steps of quality are equal ratios of weights.

    Attributes:
        default_quality: the quality of the run's own weight, in hundredths.
    """

    def __init__(
        self,
        *,
        lmbda: float,
        lowest: float = 0.0018,
        highest: float = 0.05,
        knots: int = 6,
        seed: int = 0,
    ):
        """Takes the weights; ``build`` creates the variables.

        Args:
            lmbda: weight of the run, from ``lowest`` to ``highest``: its gains begin as 1.
            lowest: weight of the distortion at quality 0, above 0.
            highest: weight of the distortion at quality 100, above ``lowest`` and finite.
            knots: qualities that have gains of their own, at least 2.
            seed: seed of the qualities drawn while training.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="variable_rate")
        if not 0 < lowest < highest < math.inf:
            raise ValueError(
                f"rates.lowest={lowest} must be above 0 and below rates.highest={highest}, both "
                "finite."
            )
        if knots < 2:
            raise ValueError(f"rates.knots={knots} must be at least 2.")
        if not lowest <= lmbda <= highest:
            raise ValueError(
                f"lmbda={lmbda} must be {lowest} to {highest}, as rate=variable has it."
            )
        self._ends = math.log(lowest), math.log(highest)
        self._lmbda = lmbda
        self._knots = knots
        self._generator = tf.random.Generator.from_seed(seed)
        self.default_quality = self.quality_of(lmbda)

    def build(self, channels: int, context_channels: int = 0) -> None:
        """Creates the variables: steps of quantization are first inverse to the weight's root.

        Args:
            channels: of the latents.
            context_channels: of the context that an entropy model adds ``RateSetting.context`` to.
        """
        weights = np.linspace(*self._ends, self._knots) - math.log(self._lmbda)
        log2_gains = np.repeat(weights[:, np.newaxis] / math.log(4), channels, axis=1)
        self._log2_gains = tf.Variable(log2_gains.astype(np.float32), name="log2_gains")
        self._context = None
        if context_channels:
            self._context = tf.Variable(tf.zeros([self._knots, context_channels]), name="context")

    @property
    def levels(self) -> List[RateSetting]:
        """Settings for which an entropy model that predicts nothing has tables of their own."""
        return [self.at(round(n * _MOST / (LEVELS - 1))) for n in range(LEVELS)]

    def nearest_level(self, quality: int) -> int:
        """Index in ``levels`` of the setting that is closest to a quality in hundredths."""
        return (quality * (LEVELS - 1) + _MOST // 2) // _MOST

    def quality_of(self, lmbda: float) -> int:
        """The quality, in hundredths, whose weight is closest to ``lmbda``.

        Raises:
            ValueError: it is not within the ends.
        """
        low, high = self._ends
        share = (math.log(lmbda) - low) / (high - low)
        if not -1e-9 <= share <= 1 + 1e-9:
            raise ValueError(
                f"lmbda={lmbda:g} must be {math.exp(low):g} to {math.exp(high):g} with this model."
            )
        return round(share * _MOST)

    def lmbda_of(self, quality: int) -> float:
        """The weight at a quality in hundredths."""
        low, high = self._ends
        return math.exp(low + (high - low) * quality / _MOST)

    def sample(self, batch: tf.Tensor) -> RateSetting:
        """A setting for training: each example has a quality of its own, all equally likely.

        The range is divided evenly among the examples, so that batches vary little.
        """
        count = tf.cast(batch, tf.float32)
        shares = (tf.range(count) + self._generator.uniform([batch])) / count
        low, high = self._ends
        position = shares * (self._knots - 1)
        below = tf.minimum(tf.cast(position, tf.int32), self._knots - 2)
        weight = (position - tf.cast(below, tf.float32))[:, tf.newaxis]

        def interpolated(knots):
            values = (1 - weight) * tf.gather(knots, below) + weight * tf.gather(knots, below + 1)
            return values[:, tf.newaxis, tf.newaxis]

        log2_gains = interpolated(self._log2_gains)
        return RateSetting(
            gains=tf.exp(math.log(2) * log2_gains),
            index_shifts=INDEXES_PER_OCTAVE * log2_gains,
            context=None if self._context is None else interpolated(self._context),
            quality=None,
            lmbda=tf.exp(low + (high - low) * shares),
        )

    def at(self, quality: int) -> RateSetting:
        """The setting of a file: equal bits on every machine.

        Args:
            quality: in hundredths, 0 to 10000.

        Raises:
            ValueError: the quality is out of its range.
        """
        if not 0 <= quality <= _MOST:
            raise ValueError(
                f"quality={quality / STEPS_PER_QUALITY:g} must be 0 to {LARGEST_QUALITY:g}."
            )
        steps = self._interpolated(self._log2_gains, quality)
        gains = power_of_two(steps)
        shifts = INDEXES_PER_OCTAVE / STEPS_PER_OCTAVE * steps
        context = None
        if self._context is not None:
            context = _as_setting(self._interpolated(self._context, quality) / STEPS_PER_OCTAVE)
        return RateSetting(
            gains=_as_setting(gains),
            index_shifts=_as_setting(shifts),
            context=context,
            quality=quality,
            lmbda=tf.constant([self.lmbda_of(quality)], tf.float32),
        )

    @property
    def coding_values(self) -> List[np.ndarray]:
        """What settings are interpolated from, in whole steps."""
        variables = (self._log2_gains, self._context)
        return [_steps(variable) for variable in variables if variable is not None]

    def _interpolated(self, variable: tf.Variable, quality: int) -> np.ndarray:
        """Whole steps, int64 ``[channels]``."""
        knots = _steps(variable)
        below, rest = divmod(quality * (self._knots - 1), _MOST)
        above = min(below + 1, self._knots - 1)
        return (knots[below] * (_MOST - rest) + knots[above] * rest + _MOST // 2) // _MOST


def power_of_two(steps: np.ndarray) -> np.ndarray:
    """2 to the power of whole steps of 1/256, float64: equal bits on every machine."""
    return np.ldexp(_POWERS[steps % STEPS_PER_OCTAVE], steps // STEPS_PER_OCTAVE)


def _as_setting(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values.reshape([1, 1, 1, -1]), tf.float32)


def _steps(variable: tf.Variable) -> np.ndarray:
    return np.rint(variable.numpy().astype(np.float64) * STEPS_PER_OCTAVE).astype(np.int64)


def _powers() -> np.ndarray:
    """2^(k/256) for k = 0..255, float64, correctly rounded on every machine."""
    with decimal.localcontext() as context:
        context.prec = 40
        exponents = (decimal.Decimal(k) / STEPS_PER_OCTAVE for k in range(STEPS_PER_OCTAVE))
        return np.array([float(decimal.Decimal(2) ** exponent) for exponent in exponents])


_POWERS = _powers()
