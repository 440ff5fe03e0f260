"""An audio codec with a trained autoencoder: samples of any rate to .rtc bytes and back."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

import numpy as np
import tensorflow as tf

from codec import container
from codec.blocks import blocks, decode_blocks
from codec.file_codec import FileCodec
from codec.latent_coder import Latents
from codec.quantized_file import QuantizedFile
from signals.loudness import from_half_decibels, half_decibels, loudness_gain
from signals.model_form import at_model_rate
from signals.resampling import resample, resampled_length

FULL_SCALE = 32768.0

MAX_SAMPLES = 2**28
"""Of all channels together, 93 minutes of mono at 48 kHz: a small file can claim any size."""


class Audio(NamedTuple):
    """Decoded audio: int16 ``[samples, channels]`` at a rate in Hz."""

    samples: np.ndarray
    sample_rate: int


class AudioCodec(FileCodec):
    """Codes float32 ``[samples, channels]`` in -1..1, from one sample, at any rate.

    All channels are resampled to the model's rate, freed of what lies below hearing, brought by one
    gain to the level that the model was trained at and coded one by one in one file, which makes no
    use of what they have in common. The decoded audio has the original's rate, channels and exact
    length.
    """

    @property
    def sample_rate(self) -> int:
        """The model's, in Hz."""
        return self.model.transforms.sample_rate

    def quantize(self, samples: np.ndarray, sample_rate: int) -> QuantizedFile:
        """Analyzes and quantizes audio once, for all that is coded or measured of it.

        Args:
            samples: float32 ``[samples, channels]``.
            sample_rate: of the samples, in Hz.

        Raises:
            ValueError: not such samples.
        """
        length, channels = _check_samples(samples, sample_rate)
        gain, latents = self._latents(samples, sample_rate)

        def pack(payload: bytes) -> bytes:
            coded = container.CodedAudio(sample_rate, length, channels, gain, payload, self.quality)
            return container.pack(coded, self.fingerprint)

        return QuantizedFile(
            self._coder,
            [Latents(block) for block in blocks(latents)],
            None,
            pack,
            lambda values: self._audio(values, gain, length, sample_rate),
        )

    def decode(self, data: bytes, max_size: Optional[int] = MAX_SAMPLES) -> Audio:
        """The audio of an .rtc file, in time and memory for ``max_size`` samples at most.

        Raises:
            codec.ForeignFile: not an .rtc file of audio, or not for this model.
            codec.DamagedFile: truncated or altered.
            codec.TooLarge: more samples than ``max_size``, which is None for no limit: of all
                channels, at the file's or at the model's rate.
        """
        coded = container.unpack(data, self.fingerprint, container.CodedAudio)
        length = resampled_length(coded.length, coded.sample_rate, self.sample_rate)
        container.check_size(max(coded.length, length) * coded.channels, "samples", max_size)
        grid = self.model.latent_grid(coded.channels, length)
        with container.errors_as_damage():
            values = decode_blocks(self._coder_at(coded.quality), coded.payload, *grid)
        return self._audio(values, coded.gain, coded.length, coded.sample_rate)

    def _latents(self, samples: np.ndarray, sample_rate: int) -> Tuple[int, tf.Tensor]:
        """The gain in half-decibels, and latents ``[channels, columns, latent channels]``."""
        with np.errstate(over="ignore", invalid="ignore"):
            heard = at_model_rate(samples, sample_rate, self.sample_rate)
        if not np.isfinite(heard).all():
            raise ValueError("samples: too large to be resampled and filtered in float32.")
        gain = half_decibels(loudness_gain(heard))
        rows = np.float32(from_half_decibels(gain)) * heard.T[..., np.newaxis]
        return gain, self.model.analyze(rows)

    def _audio(self, values: tf.Tensor, gain: int, length: int, sample_rate: int) -> Audio:
        model_length = resampled_length(length, sample_rate, self.sample_rate)
        rows = self.model.synthesize(values, values.shape[0], model_length).numpy()
        samples = rows[..., 0].T / np.float32(from_half_decibels(gain))
        samples = resample(samples, self.sample_rate, sample_rate, length)
        levels = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
        return Audio(levels.astype(np.int16), sample_rate)


def _check_samples(samples: np.ndarray, sample_rate: int) -> Tuple[int, int]:
    if samples.dtype != np.float32 or samples.ndim != 2 or 0 in samples.shape:
        raise ValueError(
            f"samples: shape {samples.shape}, type {samples.dtype}; must be float32 "
            "[samples, channels], at least one sample."
        )
    if samples.shape[1] > container.MOST_CHANNELS:
        raise ValueError(
            f"samples: {samples.shape[1]} channels; must be 1 to {container.MOST_CHANNELS}."
        )
    if not np.isfinite(samples).all():
        bad = int(np.argmin(np.isfinite(samples).all(axis=1)))
        raise ValueError(f"samples: sample {bad} is NaN or infinite; all must be finite.")
    if not 0 < sample_rate <= container.LARGEST_RATE:
        raise ValueError(f"sample_rate={sample_rate} must be 1 to {container.LARGEST_RATE} Hz.")
    return samples.shape
