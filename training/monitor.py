"""TensorBoard: scalars, reconstructions of a validation file, histograms of its latents."""

from __future__ import annotations

import os
import pathlib
from typing import Dict, Optional

import numpy as np
import tensorflow as tf

from models import Autoencoder

LARGEST_SIDE = 512
"""Pixels of an example to show; a larger image is cut."""

LONGEST_SECONDS = 10


class Monitor:
    """Writes event files into ``folder``."""

    def __init__(self, folder: pathlib.Path, model: Autoencoder, example: Optional[np.ndarray]):
        """Takes a validation image, uint8 ``[height, width, 3]``, or None for scalars alone."""
        self._writer = tf.summary.create_file_writer(os.fspath(folder))
        self._model = model
        self._example = None if example is None else self._cut(example)

    def scalars(self, step: int, values: Dict[str, float]) -> None:
        """Writes one point of each curve."""
        with self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def examples(self, step: int) -> None:
        """Writes the validation file as it is coded now, and its latents' histograms."""
        if self._example is None:
            return
        latents = self._model.analyze(self._example)
        values = self._model.quantize(latents[tf.newaxis], training=False).values[0]
        coded = self._model.synthesize(values, *self._example.shape[:2])
        with self._writer.as_default(step=step):
            self._show(coded)
            tf.summary.histogram("latents", latents)
            tf.summary.histogram("latents of the widest channel", latents[..., _widest(latents)])
        self._writer.flush()

    def _cut(self, example: np.ndarray) -> np.ndarray:
        return example[:LARGEST_SIDE, :LARGEST_SIDE]

    def _show(self, coded: tf.Tensor) -> None:
        pair = tf.concat([tf.cast(self._example, tf.float32), coded], axis=1)
        tf.summary.image("original | coded", tf.saturate_cast(tf.round(pair), tf.uint8)[None])


class AudioMonitor(Monitor):
    """The same of sound."""

    def __init__(self, folder: pathlib.Path, model: Autoencoder, example: Optional[np.ndarray]):
        """Takes sound at the model's rate, float32 ``[samples]`` in -1..1, or None."""
        self._sample_rate = model.transforms.sample_rate
        super().__init__(folder, model, example)

    def _cut(self, example: np.ndarray) -> np.ndarray:
        return example[np.newaxis, : LONGEST_SECONDS * self._sample_rate, np.newaxis]

    def _show(self, coded: tf.Tensor) -> None:
        tf.summary.audio("original", self._example, self._sample_rate)
        tf.summary.audio("coded", tf.clip_by_value(coded, -1.0, 1.0), self._sample_rate)


def _widest(latents: tf.Tensor) -> tf.Tensor:
    return tf.argmax(tf.math.reduce_variance(latents, axis=(0, 1)))
