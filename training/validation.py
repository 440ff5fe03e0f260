"""The loss on whole validation files, whose interior patches do not show."""

from __future__ import annotations

import pathlib
from typing import Callable, Dict, List, Sequence

import numpy as np
import tensorflow as tf

from models import Autoencoder
from training.log_columns import log_columns
from training.log_table import LogTable

MOST_FILES = 4
MOST_SAMPLES = 2**21
"""Pixels, or samples of audio, of one file; a larger one is cut."""


class Validation:
    """Codes whole validation files as a decoder sees them, without writing them.

    Prints one line and appends one row to ``validation.csv`` each time.
    """

    def __init__(
        self,
        path: pathlib.Path,
        model: Autoencoder,
        distortion: Callable,
        lmbda: float,
        files: Sequence[np.ndarray],
        first_step: int = 0,
    ):
        """Keeps the files.

        Args:
            path: of the table; rows after ``first_step`` are dropped.
            model: measured as it is at each call.
            distortion: the run's.
            lmbda: weight of the distortion.
            files: signals ``[height, width, channels]`` on the medium's scale; those that are
                smaller than the distortion can measure are left out.
            first_step: steps that a resumed run has taken.
        """
        self._model = model
        self._distortion = distortion
        self._lmbda = lmbda
        self._columns = log_columns(model.transforms)
        # The rows of audio are its channels, which distortions take one by one.
        sides = slice(0, 2) if model.transforms.medium == "image" else slice(1, 2)
        columns = MOST_SAMPLES // max([1, *(len(file) for file in files)])
        self._files: List[tf.Tensor] = [
            tf.cast(file[:, :columns], tf.float32)
            for file in files
            if min(file.shape[sides]) >= distortion.minimum_size
        ]
        self._table = LogTable(path, first_step)

    def __call__(self, step: int) -> Dict[str, float]:
        """Measures, prints and writes; returns the figures, or nothing without files."""
        if not self._files:
            return {}
        measured = [self._measure(file) for file in self._files]
        row = {name: float(np.mean([each[name] for each in measured])) for name in measured[0]}
        row["loss"] = row["bpp"] + self._lmbda * row["distortion"]
        row.update(self._columns.quality(row))
        print(
            f"validation, whole files ({len(measured)}): loss {row['loss']:.4f}  "
            f"{self._columns.text(row)}",
            flush=True,
        )
        self._table.append({"step": step, **row})
        return row

    def _measure(self, file: tf.Tensor) -> Dict[str, float]:
        latents = self._model.analyze(file)
        quantized = self._model.quantize(latents[tf.newaxis], training=False)
        height, width = file.shape[:2]
        decoded = self._model.synthesize(quantized.values[0], height, width)
        return {
            "bpp": float(quantized.bits[0]) / (height * width),
            "distortion": float(self._distortion(file[tf.newaxis], decoded[tf.newaxis])[0]),
            "mse": float(tf.reduce_mean(tf.math.squared_difference(file, decoded))),
        }
