"""What is known of latents before they are decoded, slice by slice."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

import tensorflow as tf

from entropy.conditional_gaussian import SCALES
from models.variable_rate import RateSetting
from quantizers.base.bounds import lower_bound, upper_bound


class Prediction(NamedTuple):
    """What is known of latents ``[batch, rows, columns, channels]`` before they are decoded.

    Attributes:
        means: float32, the latents' shape, or None for zeros.
        indexes: float32, the latents' shape, in 0..63: scale indexes of latents times their gains;
            whole numbers where the prediction is exact. None without side information.
        gains: float32 ``[batch or 1, rows or 1, columns or 1, channels]``, or None for ones.
        present: float32 ``[rows, columns, 1]``, 1 at the positions that this slice codes, 0 at
            those where its latents are known to be 0; None: it codes all.
    """

    means: Optional[tf.Tensor] = None
    indexes: Optional[tf.Tensor] = None
    gains: Optional[tf.Tensor] = None
    present: Optional[tf.Tensor] = None

    def centre(self, latents: tf.Tensor) -> tf.Tensor:
        """Latents less their means, times their gains: quantization grids are always centred."""
        if self.means is not None:
            latents -= self.means
        return self.only_present(latents if self.gains is None else latents * self.gains)

    def uncentre(self, values: tf.Tensor) -> tf.Tensor:
        """The inverse of ``centre``."""
        # A division: some machines round a product and a sum in one, others twice.
        if self.gains is not None:
            values /= self.gains
        return self.only_present(values if self.means is None else values + self.means)

    def only_present(self, values: tf.Tensor) -> tf.Tensor:
        """Zeros at positions that the slice does not code."""
        return values if self.present is None else values * self.present


class Predictor:
    """Predicts the slices of y one after the other, in encoder and decoder alike.

    This one predicts a single slice; a subclass may predict a slice from those decoded before it.

    Example:
        >>> predictor = model.predictor(z_hat, rows, columns, exact=True)
        >>> for y in tf.split(latents, model.slice_sizes, axis=-1):
        ...     prediction = predictor.next()
        ...     predictor.add(tf.round(prediction.centre(y)))
        >>> y_hat = predictor.decoded
    """

    def __init__(self, prediction: Optional[Prediction] = None, exact: bool = False):
        """Starts before the first slice.

        Args:
            prediction: of the only slice; None: nothing is known of it.
            exact: whether scale indexes are whole, see ``SideInformation.predictor``.
        """
        self._only = prediction or Prediction()
        self._exact = exact
        self._slices: List[tf.Tensor] = []
        self._settings: Optional[List[RateSetting]] = None

    def at_rate(self, settings: List[RateSetting]) -> Predictor:
        """This predictor, with the gains of a model of variable rate, slice by slice."""
        self._settings = settings
        return self

    def next(self) -> Prediction:
        """Of the first slice that is not decoded yet."""
        means, indexes, gains, present = self._predict()
        setting = self._settings and self._settings[len(self._slices)]
        if indexes is not None:
            indexes = tf.cast(indexes, tf.float32)
            if setting is not None:
                indexes += setting.index_shifts
            indexes = _within_table(indexes, self._exact)
            if present is not None:
                indexes *= present  # The smallest scale: a 0 then costs next to nothing.
        if setting is not None:
            gains = setting.gains if gains is None else setting.gains * gains
        self._prediction = Prediction(means, indexes, gains, present)
        return self._prediction

    def add(self, values: tf.Tensor) -> None:
        """Takes the decoded values of that slice, less their means."""
        self._slices.append(self._prediction.uncentre(values))

    @property
    def decoded(self) -> tf.Tensor:
        """y_hat: all slices so far, float32 ``[batch, rows, columns, channels]``."""
        return tf.concat(self._slices, axis=-1)

    def _predict(self) -> Prediction:
        """Of latents at the run's own rate: indexes of any value, gains only of the model."""
        return self._only


def _within_table(indexes: tf.Tensor, exact: bool) -> tf.Tensor:
    """Scale indexes limited to the table; whole where the prediction is ``exact``."""
    # At a bound, gradients that lead away from it still pass.
    indexes = upper_bound(lower_bound(indexes, 0.0), SCALES - 1.0)
    return tf.round(indexes) if exact else indexes
