"""Decodes audio files through libsndfile. One decoder, so that every source has the same rules.

=====================================  ===========================================================
what the file holds                    what becomes of it
=====================================  ===========================================================
8, 16, 24, 32 bits a sample            scaled so that full scale is -1..1 (16 bits: over 32768)
float, double                          as it is, also beyond -1..1
NaN, infinity                          refused
any number of channels                 kept
any rate up to 192 kHz                 kept
MP3 of variable rate that does not     cut where libsndfile estimates its end
state its length (no Xing header)
=====================================  ===========================================================
"""

from __future__ import annotations

import contextlib
import io
import os
from typing import Iterator, NamedTuple, Tuple, Union

import numpy as np
import soundfile

MAX_SAMPLE_RATE = 192_000
"""Files of higher rates (Hz) are refused."""

MAX_SAMPLES = 2**31
"""Files of more samples in all channels are refused: a small file can claim any size."""


class AudioSize(NamedTuple):
    """What a file's header says.

    Attributes:
        samples: in each channel.
        channels: how many.
        sample_rate: Hz.
    """

    samples: int
    channels: int
    sample_rate: int


def read_audio(path: Union[str, os.PathLike]) -> Tuple[np.ndarray, int]:
    """Reads a WAV, FLAC, OGG (Vorbis or Opus) or MP3 file, told apart by content.

    Returns:
        float32 ``[samples, channels]`` of at least one sample, and the sample rate in Hz.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, has no samples, samples that are not finite, more than
            ``MAX_SAMPLES``, a rate above ``MAX_SAMPLE_RATE``, is damaged or no audio file.
    """
    with _opened_file(path) as sound:
        return _samples_of(sound, os.fspath(path))


def read_audio_size(path: Union[str, os.PathLike]) -> AudioSize:
    """Samples, channels and rate from a file's header; raises as `read_audio` does."""
    with _opened_file(path) as sound:
        return AudioSize(sound.frames, sound.channels, sound.samplerate)


def decode_audio(encoded: bytes, *, name: str) -> Tuple[np.ndarray, int]:
    """Decodes the bytes of an audio file as `read_audio` does.

    Args:
        encoded: the content of the file.
        name: what an error calls the recording.
    """
    if not encoded:
        raise ValueError(f"{name} is empty.")
    with _opened_sound(io.BytesIO(encoded), name) as sound:
        return _samples_of(sound, name)


def check_finite(samples: np.ndarray, name: str) -> None:
    """Raises ValueError where a sample is NaN or infinite."""
    bad = np.size(samples) - np.count_nonzero(np.isfinite(samples))
    if bad:
        raise ValueError(f"{name} has {bad} samples that are NaN or infinite.")


@contextlib.contextmanager
def _opened_file(path: Union[str, os.PathLike]) -> Iterator[soundfile.SoundFile]:
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no audio file {name}.") from None
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}.") from error
    if empty:
        raise ValueError(f"{name} is empty.")
    with _opened_sound(name, name) as sound:
        yield sound


@contextlib.contextmanager
def _opened_sound(file: Union[str, io.BytesIO], name: str) -> Iterator[soundfile.SoundFile]:
    try:
        sound = soundfile.SoundFile(file)
    # TypeError: a name that ends in .raw, of which soundfile asks to be told the format.
    except (soundfile.SoundFileError, TypeError) as error:
        raise ValueError(f"{name} is not a WAV, FLAC, OGG or MP3 file that can be read.") from error
    with sound:
        if not 0 < sound.samplerate <= MAX_SAMPLE_RATE:
            raise ValueError(
                f"{name} has {sound.samplerate} samples a second; up to {MAX_SAMPLE_RATE} are read."
            )
        if sound.frames * sound.channels > MAX_SAMPLES:
            raise ValueError(f"{name} has more than the {MAX_SAMPLES} samples that are allowed.")
        if sound.frames == 0:
            raise ValueError(f"{name} has no samples.")
        yield sound


def _samples_of(sound: soundfile.SoundFile, name: str) -> Tuple[np.ndarray, int]:
    expected = sound.frames
    try:
        samples = sound.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, MemoryError) as error:
        raise ValueError(f"{name} cannot be decoded: {str(error) or 'no memory'}") from error
    # The length of an MP3 that does not state it is libsndfile's estimate, tags counted in.
    spare = sound.samplerate if sound.format == "MP3" else 0
    if len(samples) + spare < expected or not len(samples):
        raise ValueError(f"{name} ends after {len(samples)} of its {expected} samples.")
    check_finite(samples, name)
    return samples, sound.samplerate
