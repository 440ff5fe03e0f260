"""Golden files: files that a pretrained model coded, with what every later version must decode.

``golden/NAME.rtc`` lies beside what it decoded to, a PNG or WAV file. Decoded latents are exact: a
CRC-32 pins them. The synthesis is floating point, so a sample may differ by one level.
"""

from __future__ import annotations

import pathlib
import zlib
from typing import Any, Dict, Tuple
from unittest import mock

import numpy as np

from assembly.saved_run import SavedRun
from evaluation.media import MEDIA
from signals.files import write_atomically

FOLDER = "golden"


def write_golden(saved: SavedRun, signal: Tuple, folder: pathlib.Path) -> Dict[str, str]:
    """Codes a signal, a model for every rate at several qualities, and writes the files.

    Returns:
        Name -> CRC-32 of the latents, as hexadecimal digits.

    Raises:
        ValueError: the model decodes a file to anything but the test-time reconstruction.
    """
    medium = MEDIA[saved.medium]
    codecs = {"file": saved.codec}
    if saved.codec.quality is not None:
        codecs = {f"quality-{q}": saved.codec.at_quality(100 * q) for q in (0, 50, 100)}
    sums = {}
    for name, codec in codecs.items():
        data = codec.encode(*signal)
        decoded, sums[name] = decode_exactly(codec, data)
        if not np.array_equal(_samples(decoded), _samples(codec.reconstruct(*signal))):
            raise ValueError(f"{saved.directory.path} does not decode its own files exactly.")
        suffix = medium.lossless[0]
        write_atomically(folder / f"{name}.rtc", data)
        write_atomically(folder / f"{name}{suffix}", medium.write(decoded, suffix))
    return sums


def check_golden(saved: SavedRun, folder: pathlib.Path, sums: Dict[str, str]) -> None:
    """Decodes the golden files.

    Raises:
        ValueError: one decodes to other latents, or to samples that differ by more than a level.
    """
    medium = MEDIA[saved.medium]
    for name, expected in sums.items():
        path = folder / f"{name}.rtc"
        decoded, found = decode_exactly(saved.codec, path.read_bytes())
        if found != expected:
            raise ValueError(f"{path} decodes to latents of CRC-32 {found}, not {expected}.")
        signal = medium.read(path.with_suffix(medium.lossless[0]))
        levels = np.asarray(signal[0], np.float64) * (32768 if saved.medium == "audio" else 1)
        apart = np.abs(levels - _samples(decoded)).max()
        if apart > 1:
            raise ValueError(f"{path} decodes to samples that are {apart:g} levels off.")


def decode_exactly(codec: Any, data: bytes) -> Tuple[Any, str]:
    """What a file decodes to, and the CRC-32 of its latents."""
    seen, synthesize = [], codec.model.synthesize

    def watched(values: Any, *size: int) -> Any:
        seen.append(np.ascontiguousarray(values, "<f4").tobytes())
        return synthesize(values, *size)

    with mock.patch.object(codec.model, "synthesize", watched):
        decoded = codec.decode(data)
    return decoded, f"{zlib.crc32(b''.join(seen)):08x}"


def _samples(decoded: Any) -> np.ndarray:
    """Pixels as they are; of audio, the samples without their rate."""
    return np.asarray(getattr(decoded, "samples", decoded), np.float64)
