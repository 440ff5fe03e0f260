"""The loss that a run was trained for, of files that were decoded again."""

from __future__ import annotations

import math
from typing import Any, Dict

import numpy as np
import tensorflow as tf

from assembly.parts import build_part
from assembly.saved_run import SavedRun
from signals.loudness import loudness_gain
from signals.model_form import at_model_rate
from signals.resampling import resample


class RunObjective:
    """``bits per pixel or sample + lmbda * distortion``, with the run's own distortion.

    Audio is compared as it is in training: at the model's rate and level, without what lies below
    hearing, channel by channel. A file that is too small for the distortion has none.
    """

    def __init__(self, saved: SavedRun):
        """Takes distortion, lmbda and transforms of a run."""
        self._distortion = build_part(saved.config.distortion)
        self._lmbda = saved.config.lmbda
        self._transforms = saved.codec.model.transforms
        self._medium = saved.medium

    def __call__(self, file: Any, decoded: np.ndarray, bits: float) -> Dict[str, float]:
        """``distortion`` and ``loss`` of a named file.

        Args:
            file: the original.
            decoded: pixels, or samples from -1 to 1.
            bits: of the coded file.
        """
        if self._medium == "image":
            both = [file.pixels[np.newaxis], decoded[np.newaxis]]
            smallest = min(file.pixels.shape[:2])
        else:
            both = self._in_the_models_form(file, decoded)
            smallest = both[0].shape[2]
        count = int(np.prod(both[0].shape[:3]))
        distortion = math.nan
        if smallest >= self._distortion.minimum_size:
            both = [tf.constant(each, tf.float32) for each in both]
            distortion = float(tf.reduce_mean(self._distortion(*both)))
        return {"distortion": distortion, "loss": bits / count + self._lmbda * distortion}

    def _in_the_models_form(self, file: Any, decoded: np.ndarray):
        """Original and decoded samples as float ``[channels, 1, samples, 1]``."""
        rate = self._transforms.sample_rate
        original = at_model_rate(file.samples.astype(np.float32), file.sample_rate, rate)
        # Nothing is filtered out of what was decoded: what a model adds there is its error.
        decoded = resample(decoded.astype(np.float32), file.sample_rate, rate, len(original))
        gain = loudness_gain(original)
        return [gain * each.T[:, np.newaxis, :, np.newaxis] for each in (original, decoded)]
