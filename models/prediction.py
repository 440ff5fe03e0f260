"""What is known of latents before they are decoded, slice by slice."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

import tensorflow as tf


class Prediction(NamedTuple):
    """What is known of latents ``[batch, rows, columns, channels]`` before they are decoded.

    Attributes:
        means: float32, the latents' shape, or None for zeros.
        indexes: float32, the latents' shape, in 0..63: scale indexes; whole numbers where the
            prediction is exact. None without side information.
    """

    means: Optional[tf.Tensor] = None
    indexes: Optional[tf.Tensor] = None

    def centre(self, latents: tf.Tensor) -> tf.Tensor:
        """Latents less their means: quantization grids are always centred."""
        return latents if self.means is None else latents - self.means

    def uncentre(self, values: tf.Tensor) -> tf.Tensor:
        """The inverse of ``centre``."""
        return values if self.means is None else values + self.means


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

    def __init__(self, prediction: Optional[Prediction] = None):
        """Takes the prediction of the only slice; None: nothing is known of it."""
        self._prediction = prediction or Prediction()
        self._slices: List[tf.Tensor] = []

    def next(self) -> Prediction:
        """Of the first slice that is not decoded yet."""
        return self._prediction

    def add(self, values: tf.Tensor) -> None:
        """Takes the decoded values of that slice, less their means."""
        self._slices.append(self._prediction.uncentre(values))

    @property
    def decoded(self) -> tf.Tensor:
        """y_hat: all slices so far, float32 ``[batch, rows, columns, channels]``."""
        return tf.concat(self._slices, axis=-1)
