"""TensorBoard: scalars, reconstructions of a validation image, histograms of its latents."""

from __future__ import annotations

import os
import pathlib
from typing import Dict, Optional

import numpy as np
import tensorflow as tf

from models import Autoencoder

LARGEST_SIDE = 512


class Monitor:
    """Writes event files into ``folder``."""

    def __init__(self, folder: pathlib.Path, model: Autoencoder, example: Optional[np.ndarray]):
        """Takes a validation image, uint8 ``[height, width, 3]``, or None for scalars alone."""
        self._writer = tf.summary.create_file_writer(os.fspath(folder))
        self._model = model
        self._example = None if example is None else example[:LARGEST_SIDE, :LARGEST_SIDE]

    def scalars(self, step: int, values: Dict[str, float]) -> None:
        """Writes one point of each curve."""
        with self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def pictures(self, step: int) -> None:
        """Writes the validation image as it is coded now, and its latents' histograms."""
        if self._example is None:
            return
        latents = self._model.latents(self._example)
        values = self._model.quantize(latents[tf.newaxis], training=False).values[0]
        coded = self._model.image(values, *self._example.shape[:2])
        pair = tf.concat([tf.cast(self._example, tf.float32), coded], axis=1)
        with self._writer.as_default(step=step):
            tf.summary.image("original | coded", tf.saturate_cast(tf.round(pair), tf.uint8)[None])
            tf.summary.histogram("latents", latents)
            tf.summary.histogram("latents of the widest channel", latents[..., _widest(latents)])
        self._writer.flush()


def _widest(latents: tf.Tensor) -> tf.Tensor:
    return tf.argmax(tf.math.reduce_variance(latents, axis=(0, 1)))
