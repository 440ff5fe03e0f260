"""Audio transforms that begin as a modulated lapped transform and learn from there.

The transform of MP3, AAC and Opus' music mode (MDCT), with the quantization steps of a speech
codec: larger where speech is strong, because it masks noise there. Residual blocks between it and
the latents begin as the identity. An untrained model thus is a working codec, and training starts
from there instead of from noise.
"""

from __future__ import annotations

import math
from typing import Optional

import numpy as np
import tensorflow as tf

from models import modulated_basis
from models.audio import check_rate
from models.linear_start import LearnedKernel, ResidualBlock
from models.transforms import Transforms, policy
from processor.stack import keras
from signals.loudness import CODING_POWER


class LappedAudioTransforms(Transforms):
    """Audio ``[b, rows, 128 T, 1]`` in -1..1 to latents ``[b, rows, T, 128]`` and back.

    Channels are frequencies, from low to high. Each row is coded by itself.

    Attributes:
        sample_rate: of the audio, in Hz.
    """

    medium = "audio"
    input_channels = 1
    tile = (1, 4096)

    def __init__(
        self,
        *,
        lmbda: float,
        sample_rate: Optional[int],
        latent_channels: int = 128,
        num_filters: int = 192,
        blocks: int = 2,
        step_factor: float = 1.0,
        shaping: float = 0.5,
        precision: str = "float32",
    ):
        """Creates the layers and their variables.

        Args:
            lmbda: of the loss ``bits per sample + lmbda * distortion``, above 0. At high rates a
                quantization step of ``sqrt(6 P / (1000 lmbda ln 2))``, where P is the power at
                which audio is coded, minimizes it for ``distortion=waveform_mse``.
            sample_rate: of the audio, in Hz.
            latent_channels: channels of the latents and samples per latent (M), even: 128 are 16 ms
                at 8 kHz.
            num_filters: channels inside a residual block (N), at least 1.
            blocks: residual blocks each way, at least 0.
            step_factor: the initial quantization step over that one, above 0.
            shaping: how far the steps of the channels follow the spectrum of speech, 0 to 1: steps
                are proportional to its magnitude to this power.
            precision: compute type of the layers, "float32" or "bfloat16".

        Raises:
            ValueError: an argument is out of its range.
        """
        check_rate(sample_rate, "lapped_audio")
        for name, number in (("lmbda", lmbda), ("step_factor", step_factor)):
            if not 0 < number < math.inf:
                raise ValueError(f"{name}={number} must be above 0 and finite.")
        if latent_channels < 2 or latent_channels % 2:
            raise ValueError(f"latent_channels={latent_channels} must be even, at least 2.")
        for name, number, least in (("num_filters", num_filters, 1), ("blocks", blocks, 0)):
            if number < least:
                raise ValueError(f"{name}={number} must be at least {least}.")
        if not 0 <= shaping <= 1:
            raise ValueError(f"shaping={shaping} must be 0 to 1.")
        self.sample_rate = sample_rate
        dtype = policy(precision)
        spreads = modulated_basis.spreads(latent_channels, sample_rate)
        # Of the same product as equal steps.
        shape = (spreads / np.exp(np.mean(np.log(spreads)))) ** shaping
        steps = shape * step_factor * math.sqrt(6 * CODING_POWER / (1000 * lmbda * math.log(2)))

        def residual_blocks():
            size = latent_channels, num_filters
            return [ResidualBlock(*size, dtype, kernel=(1, 3)) for _ in range(blocks)]

        super().__init__(
            name="lapped_audio",
            latent_channels=latent_channels,
            strides=(1, latent_channels),
            contexts=(0, 1 + blocks),
            analysis=[ModulatedAnalysis(steps, dtype), *residual_blocks()],
            synthesis=[*residual_blocks(), ModulatedSynthesis(steps, dtype)],
        )
        self.latent_spreads = spreads / steps

    def _normalize(self, signals: tf.Tensor) -> tf.Tensor:
        return signals

    def _denormalize(self, values: tf.Tensor) -> tf.Tensor:
        return values

    def _describe_latents(self) -> str:
        rate = self.sample_rate / self.strides[1]
        return f"{self.sample_rate} Hz, {rate:g} x {self.latent_channels} latents/s"


class ModulatedAnalysis(LearnedKernel):
    """A convolution of kernel 2 M and stride M over audio with silence before and after it."""

    def __init__(self, steps: np.ndarray, dtype: str):
        """Takes the quantization steps ``[M]`` and the Keras policy."""
        blocks = modulated_basis.kernel(len(steps)).reshape(1, 2, len(steps), -1)
        super().__init__(self._oriented(blocks), dtype)
        self.size = len(steps)
        self._initial = np.log(steps)

    def build(self, shape):
        """Creates the variables."""
        super().build(shape)
        initial = keras.initializers.Constant(self._initial)
        # In float32 whatever layers compute in: files are coded with these steps.
        self.log_steps = self.add_weight(
            "log_steps", [self.size], initializer=initial, experimental_autocast=False
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, rows, samples, 1]`` to ``[batch, rows, samples / M, M]``."""
        batch, rows, samples, _ = tf.unstack(tf.shape(inputs))
        half = self.size // 2
        inputs = tf.pad(inputs, [[0, 0], [0, 0], [half, half], [0, 0]])
        blocks = tf.reshape(inputs, [batch, rows, samples // self.size + 1, self.size])
        return self.convolve(blocks) * tf.cast(tf.exp(-self.log_steps), blocks.dtype)

    def _oriented(self, blocks: np.ndarray) -> np.ndarray:
        return blocks


class ModulatedSynthesis(ModulatedAnalysis):
    """The inverse of ``ModulatedAnalysis``: its transpose, but for the first and last samples.

    There, half a window has no neighbour to overlap with, and is divided out.
    """

    def __init__(self, steps: np.ndarray, dtype: str):
        """See ``ModulatedAnalysis``."""
        super().__init__(steps, dtype)
        window = modulated_basis.window(self.size)[self.size // 2 : self.size]
        self._edge = (window**-2.0).astype(np.float32)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, rows, columns, M]`` to ``[batch, rows, columns * M, 1]``."""
        batch, rows, columns, _ = tf.unstack(tf.shape(inputs))
        inputs = inputs * tf.cast(tf.exp(self.log_steps), inputs.dtype)
        blocks = self.convolve(tf.pad(inputs, [[0, 0], [0, 0], [1, 1], [0, 0]]))
        half, samples = self.size // 2, columns * self.size
        values = tf.reshape(blocks, [batch, rows, samples + self.size])[:, :, half:-half]
        ones = tf.ones([samples - self.size])
        edges = tf.concat([self._edge, ones, self._edge[::-1]], 0)
        return (values * tf.cast(edges, values.dtype))[..., tf.newaxis]

    def _oriented(self, blocks: np.ndarray) -> np.ndarray:
        # A transposed convolution scatters where a convolution gathers.
        return blocks[:, ::-1].transpose(0, 1, 3, 2)
