"""Audio files through libsndfile. Every source decodes here, so all follow the same rules.

=====================================  ===========================================================
file content                           decoded as
=====================================  ===========================================================
8, 16, 24, 32 bits per sample          scaled so that full scale is -1..1 (16 bits: over 32768)
float, double                          as it is, also beyond -1..1
NaN, infinity                          refused
any number of channels                 kept
any rate from 1 to 192 kHz             kept
WAV or FLAC from a pipe, whose header  read to its end
states no length
WAV above 4 GiB                        refused: its header cannot state the length
MP3 of variable rate that does not     cut where libsndfile estimates its end
state its length (no Xing header)
=====================================  ===========================================================
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
from typing import Iterator, NamedTuple, Optional, Tuple, Union

import numpy as np
import soundfile

from signals.files import Path, open_binary

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1000, 192_000
"""Files of other rates (Hz) are refused: at 1 Hz a file of seconds would take hours to play."""

MAX_SAMPLES = 2**31
"""Files with more samples, over all channels, are refused: a small file can claim any size."""

_UNKNOWN_FRAMES = 2**62
"""libsndfile states the largest number there is for a FLAC file of unknown length."""

_BLOCK = 2**18
"""Samples that are decoded at once, over all channels, where the length is unknown."""

_HEAD = 2**16

_LARGEST_WAV = 2**32 + 7
"""Bytes: the header's largest size, and what precedes it. libsndfile would cut off the rest."""

AUDIO_SUFFIXES = (".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav")
"""File types that are read."""

LOSSLESS_AUDIO = (".wav", ".flac")
"""File types that store decoded 16-bit samples unaltered."""


class NamedRecording(NamedTuple):
    """One whole recording, as its file holds it."""

    name: str  # unique within its split
    samples: np.ndarray  # float32 [samples, channels], nominally -1..1 (16-bit values over 32768)
    sample_rate: int  # Hz


class AudioSize(NamedTuple):
    """What a file's header states."""

    samples: int  # in each channel
    channels: int
    sample_rate: int  # Hz


def read_audio(path: Path) -> Tuple[np.ndarray, int]:
    """Reads a WAV, FLAC, OGG (Vorbis or Opus) or MP3 file, told apart by content.

    Returns:
        float32 ``[samples, channels]`` of at least one sample, and the sample rate in Hz.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, has no samples, samples that are not finite, more than
            ``MAX_SAMPLES``, a rate out of bounds, is damaged or not an audio file.
    """
    with _opened_file(path) as file:
        return _samples_of(file, os.fspath(path))


def read_audio_size(path: Path) -> AudioSize:
    """Samples, channels and rate from a file's header; raises as `read_audio` does.

    A file that does not state its length is decoded to learn it.
    """
    with _opened_file(path) as file:
        samples = file.frames
        if samples >= _UNKNOWN_FRAMES:
            samples = sum(map(len, _blocks_of(file, os.fspath(path))))
        return AudioSize(samples, file.channels, file.samplerate)


def decode_audio(encoded: bytes, *, name: str) -> Tuple[np.ndarray, int]:
    """Decodes a file's content as `read_audio` does; errors call the recording ``name``."""
    if not encoded:
        raise ValueError(f"{name} is empty.")
    streamed = _from_a_pipe(encoded, len(encoded), name)
    with _opened_audio(io.BytesIO(encoded if streamed is None else streamed), name) as file:
        return _samples_of(file, name)


def encode_audio(samples: np.ndarray, sample_rate: int, suffix: str) -> bytes:
    """The 16-bit file of samples.

    Args:
        samples: int16, or float in -1..1, ``[samples, channels]``.
        sample_rate: Hz.
        suffix: one of ``LOSSLESS_AUDIO``.

    Raises:
        ValueError: such a file cannot hold so many channels or this rate.
    """
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, samples, sample_rate, format=suffix[1:].upper(), subtype="PCM_16")
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"{suffix} cannot hold {samples.shape[1]} channels at {sample_rate} Hz: {error}"
        ) from error
    return buffer.getvalue()


def check_finite(samples: np.ndarray, name: str) -> None:
    """Raises ValueError where a sample is NaN or infinite."""
    bad = np.size(samples) - np.count_nonzero(np.isfinite(samples))
    if bad:
        raise ValueError(f"{name} has {bad} samples that are NaN or infinite.")


@contextlib.contextmanager
def _opened_file(path: Path) -> Iterator[soundfile.SoundFile]:
    name = os.fspath(path)
    with open_binary(path, "audio") as file:
        head = file.read(_HEAD)
        if not head:
            raise ValueError(f"{name} is empty.")
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            streamed = _from_a_pipe(head, status.st_size, name)
            content = None if streamed is None else streamed + file.read()
        else:  # A pipe, which can be read only once.
            content = head + file.read()
            content = _from_a_pipe(content, len(content), name) or content
    # As bytes on Linux, where a name may be what no text is.
    opened = os.fsencode(path) if os.name == "posix" else name
    with _opened_audio(opened if content is None else io.BytesIO(content), name) as audio:
        yield audio


@contextlib.contextmanager
def _opened_audio(file: Union[str, bytes, io.BytesIO], name: str) -> Iterator[soundfile.SoundFile]:
    try:
        audio = _ReadForward(file)
    # TypeError: a name that ends in .raw, for which soundfile wants to be given the format.
    except (soundfile.SoundFileError, TypeError) as error:
        raise ValueError(f"{name} is not a WAV, FLAC, OGG or MP3 file that can be read.") from error
    with audio:
        if not MIN_SAMPLE_RATE <= audio.samplerate <= MAX_SAMPLE_RATE:
            raise ValueError(
                f"{name} has {audio.samplerate} samples per second; it must have "
                f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}."
            )
        if audio.frames < _UNKNOWN_FRAMES:
            _check_length(audio.frames * audio.channels, name)
        if audio.frames == 0:
            raise ValueError(f"{name} has no samples.")
        yield audio


class _ReadForward(soundfile.SoundFile):
    """Read once from start to end: not every file in which libsndfile says it can seek lets it."""

    def seekable(self) -> bool:
        """Without seeking, soundfile reads as many samples as it is told to."""
        return False


def _samples_of(audio: soundfile.SoundFile, name: str) -> Tuple[np.ndarray, int]:
    expected = audio.frames
    try:
        if expected < _UNKNOWN_FRAMES:
            samples = audio.read(expected, dtype="float32", always_2d=True)
        else:
            samples = np.concatenate(list(_blocks_of(audio, name)))
            expected = len(samples)
    except (soundfile.SoundFileError, MemoryError) as error:
        raise ValueError(f"{name} cannot be decoded: {str(error) or 'out of memory'}") from error
    # For an MP3 that does not state its length, libsndfile estimates it and counts tags in.
    spare = audio.samplerate if audio.format == "MP3" else 0
    if len(samples) + spare < expected or not len(samples):
        raise ValueError(f"{name} ends after {len(samples)} of its {expected} samples.")
    check_finite(samples, name)
    return samples, audio.samplerate


def _blocks_of(audio: soundfile.SoundFile, name: str) -> Iterator[np.ndarray]:
    """Decodes a file of unknown length until it ends, or has more samples than are allowed."""
    count, block = 0, np.empty((1, audio.channels))
    while len(block):
        try:
            block = audio.read(_BLOCK // audio.channels, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise ValueError(f"{name} cannot be decoded: {error}") from error
        count += block.size
        _check_length(count, name)
        yield block
    if not count:
        raise ValueError(f"{name} has no samples.")


def _check_length(count: int, name: str) -> None:
    if count > MAX_SAMPLES:
        raise ValueError(f"{name} has more than the {MAX_SAMPLES} samples that are allowed.")


def _from_a_pipe(head: bytes, size: int, name: str) -> Optional[bytes]:
    """The head of a WAV file with the sizes that its writer could not go back to fill in.

    Args:
        head: at least the file's first bytes.
        size: of the file.
        name: of the file, for errors.

    Returns:
        None if it is no WAV file, or one that states its sizes. (libsndfile itself reads to the end
        if they are too large.)

    Raises:
        ValueError: a WAV file that is larger than its header can state.
    """
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    if size > _LARGEST_WAV:
        raise ValueError(f"{name} is above 4 GiB, more than the header of a WAV file can state.")
    (whole,) = struct.unpack("<I", head[4:8])
    start = 12
    while start + 8 <= len(head):
        kind, (length,) = head[start : start + 4], struct.unpack("<I", head[start + 4 : start + 8])
        if kind == b"data":
            # With a true size of the whole, the data really are empty.
            if length or whole == size - 8:
                return None
            sizes = struct.pack("<I", size - 8), struct.pack("<I", size - start - 8)
            return head[:4] + sizes[0] + head[8 : start + 4] + sizes[1] + head[start + 8 :]
        start += 8 + length + length % 2
    return None
