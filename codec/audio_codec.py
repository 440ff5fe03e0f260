"""An audio codec over a trained autoencoder: samples of any rate to .rtc bytes and back."""

from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
import tensorflow as tf

from codec import container
from codec.blocks import blocks, decode_blocks
from codec.fingerprint import fingerprint
from codec.latent_coder import LatentCoder, Latents
from codec.quantized_file import QuantizedFile, RateEstimate
from models import Autoencoder
from signals.loudness import from_half_decibels, half_decibels, loudness_gain
from signals.resampling import resample, resampled_length

FULL_SCALE = 32768.0


class Audio(NamedTuple):
    """Decoded sound: int16 ``[samples, channels]`` at a rate in Hz."""

    samples: np.ndarray
    sample_rate: int


class AudioCodec:
    """Codes float32 ``[samples, channels]`` in -1..1, from one sample up, at any rate.

    All channels are raised by one gain to the level that the model is trained at, brought to its
    sample rate and coded one by one, in one file; what is common to them is not used. The decoded
    sound has the original's rate, channels and length to the sample.

    Attributes:
        name: how tables and figures call it.
        fingerprint: 8 bytes that stand in each of its files.
        has_fixed_length: whether ``encode`` takes ``fixed_length=True``.
        sample_rate: the model's, in Hz.
    """

    def __init__(self, model: Autoencoder, name: str, stages: Optional[int] = None):
        """Takes a model that can code.

        Args:
            model: of sound, trained and frozen.
            name: how tables and figures call it.
            stages: of a residual quantizer, how many refinement stages files get; None: all. Files
                of any number of stages decode.

        Raises:
            ValueError: the model is not frozen, or its quantizer has not so many stages.
        """
        if not model.frozen:
            raise ValueError("model must be frozen: its entropy model has no coding tables yet.")
        self._model = model
        self._coder = LatentCoder(model, stages)
        self.name = name
        self.fingerprint = fingerprint(model)
        self.has_fixed_length = model.quantizer.alphabet.kind == "indices"
        self.sample_rate = model.transforms.sample_rate

    def quantize(self, samples: np.ndarray, sample_rate: int) -> QuantizedFile:
        """Analyzes and quantizes audio once, for all that is coded or measured of it.

        Args:
            samples: float32 ``[samples, channels]``.
            sample_rate: of the samples, in Hz.

        Raises:
            ValueError: the samples or the rate are not of such audio.
        """
        length, channels = _check(samples, sample_rate)
        gain, latents = self._latents(samples, sample_rate)

        def pack(payload: bytes) -> bytes:
            coded = container.CodedAudio(sample_rate, length, channels, gain, payload)
            return container.pack(coded, self.fingerprint)

        return QuantizedFile(
            self._coder,
            [Latents(block) for block in blocks(latents)],
            None,
            pack,
            lambda values: self._audio(values, gain, length, sample_rate),
        )

    def encode(self, samples: np.ndarray, sample_rate: int, *, fixed_length: bool = False) -> bytes:
        """The bytes of the .rtc file; see ``quantize`` and ``QuantizedFile.encode``."""
        return self.quantize(samples, sample_rate).encode(fixed_length)

    def decode(self, data: bytes) -> Audio:
        """Sound of an .rtc file's bytes.

        Raises:
            codec.ForeignFile: no .rtc file of sound, or not for this model.
            codec.DamagedFile: truncated or altered.
        """
        coded = container.unpack(data, self.fingerprint, container.CodedAudio)
        length = resampled_length(coded.length, coded.sample_rate, self.sample_rate)
        grid = self._model.latent_grid(coded.channels, length)
        try:
            values = decode_blocks(self._coder, coded.payload, *grid)
        except ValueError as error:
            raise container.DamagedFile(f"Damaged .rtc file: {error}") from error
        return self._audio(values, coded.gain, coded.length, coded.sample_rate)

    def reconstruct(
        self, samples: np.ndarray, sample_rate: int, *, training: bool = False
    ) -> Audio:
        """The forward pass, without any bytes; see ``QuantizedFile.reconstruct``."""
        return self.quantize(samples, sample_rate).reconstruct(training)

    def estimate_bits(self, samples: np.ndarray, sample_rate: int, seed: int = 0) -> RateEstimate:
        """Bits without coding; see ``QuantizedFile.estimate_bits``."""
        return self.quantize(samples, sample_rate).estimate_bits(seed)

    def _latents(self, samples: np.ndarray, sample_rate: int):
        """The gain in half-decibels, and latents ``[channels, columns, latent channels]``."""
        gain = half_decibels(loudness_gain(samples))
        length = resampled_length(len(samples), sample_rate, self.sample_rate)
        at_model_rate = resample(samples, sample_rate, self.sample_rate, length)
        rows = np.float32(from_half_decibels(gain)) * at_model_rate.T[..., np.newaxis]
        return gain, self._model.analyze(rows)

    def _audio(self, values: tf.Tensor, gain: int, length: int, sample_rate: int) -> Audio:
        at_model_rate = resampled_length(length, sample_rate, self.sample_rate)
        rows = self._model.synthesize(values, values.shape[0], at_model_rate).numpy()
        samples = rows[..., 0].T / np.float32(from_half_decibels(gain))
        samples = resample(samples, self.sample_rate, sample_rate, length)
        levels = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
        return Audio(levels.astype(np.int16), sample_rate)


def _check(samples: np.ndarray, sample_rate: int):
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
        raise ValueError(f"samples: sample {bad} is not finite; all must be numbers.")
    if not 0 < sample_rate <= container.LARGEST_RATE:
        raise ValueError(f"sample_rate={sample_rate} must be 1 to {container.LARGEST_RATE} Hz.")
    return samples.shape
