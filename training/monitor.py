"""TensorBoard: scalars, a validation file as it is coded, its latents, settings and outcome."""

from __future__ import annotations

import math
import os
import pathlib
from typing import Any, Dict, Mapping, Optional

import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hp

from models import Autoencoder

LARGEST_SIDE = 512
"""Pixels of an image that are shown."""

LONGEST_SECONDS = 10
"""Seconds of a recording that are played."""


class Monitor:
    """Writes event files into ``folder``."""

    def __init__(self, folder: pathlib.Path, model: Autoencoder, example: Optional[np.ndarray]):
        """Takes a validation file as the model sees it, or None for scalars alone.

        Args:
            folder: of the event files.
            model: the model in training.
            example: uint8 ``[height, width, 3]``, or audio float32 ``[1, samples, 1]``.
        """
        self._writer = tf.summary.create_file_writer(os.fspath(folder))
        self._model = model
        self._sample_rate = getattr(model.transforms, "sample_rate", None)
        most = LONGEST_SECONDS * self._sample_rate if self._is_audio else LARGEST_SIDE
        self._example = None if example is None else example[:most, :most]

    @property
    def _is_audio(self) -> bool:
        return self._model.transforms.medium == "audio"

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

    def _show(self, coded: tf.Tensor) -> None:
        if self._is_audio:
            tf.summary.audio("original", self._example, self._sample_rate)
            tf.summary.audio("coded", tf.clip_by_value(coded, -1.0, 1.0), self._sample_rate)
            return
        pair = tf.concat([tf.cast(self._example, tf.float32), coded], axis=1)
        tf.summary.image("original | coded", tf.saturate_cast(tf.round(pair), tf.uint8)[None])


def _widest(latents: tf.Tensor) -> tf.Tensor:
    return tf.argmax(tf.math.reduce_variance(latents, axis=(0, 1)))


def write_outcome(
    folder: pathlib.Path,
    run: str,
    step: int,
    configuration: str,
    settings: Mapping[str, Any],
    points: Mapping[str, float],
) -> None:
    """Writes what a finished run was and reached: the tabs Text, Scalars and HParams.

    Args:
        folder: of the event files.
        run: its path, which tells it from all others in the tab HParams.
        step: the last.
        configuration: YAML.
        settings: name -> number, text or bool: an axis each of the parallel coordinates.
        points: metric -> the measured rate-distortion point's value; axes as well.
    """
    metrics = {f"final/{name}": value for name, value in points.items() if math.isfinite(value)}
    with tf.summary.create_file_writer(os.fspath(folder)).as_default(step=step):
        indented = "".join(f"    {line}\n" for line in configuration.splitlines())
        tf.summary.text("configuration", indented)  # Markdown shows it as it is.
        hp.hparams_config([hp.HParam(name) for name in settings], [*map(hp.Metric, metrics)])
        hp.hparams(dict(settings), trial_id=run)
        for name, value in metrics.items():
            tf.summary.scalar(name, value)


def event_folder(run: pathlib.Path) -> pathlib.Path:
    """Where a run's event files are: TensorBoard names runs after folders."""
    older = run / "tensorboard"
    return older if older.is_dir() else run
