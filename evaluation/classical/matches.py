"""Measures a classical codec on one file: at a learned codec's rate, or over its whole ladder."""

from __future__ import annotations

import pathlib
import tempfile
import time
from typing import Any, List, Sequence, Tuple

import numpy as np

from evaluation.classical.codec import ClassicalCodec
from evaluation.media import Row
from signals.files import write_atomically


def closest_to(codec: ClassicalCodec, file: Any, rate: float) -> Tuple[Row, np.ndarray]:
    """Finds the setting whose packets are nearest to a rate, by bisection.

    A rate outside the codec's range gives the end of the range. Sizes may dip by a few bytes from
    one setting to the next; the result is the nearest of those that bisection visits.

    Args:
        codec: of the file's medium.
        file: a named image or recording.
        rate: in the medium's unit, bpp or kbps; above 0.

    Returns:
        ``quality`` (the setting), the real rate of the packets (``bpp``, ``kbps``) and of the whole
        file (``bpp_file``, ``kbps_file``) and all metrics; and the decoded file.

    Raises:
        CannotCode: the format cannot hold the file.
    """
    medium = codec.medium
    unit, size = medium.rate, medium.size(medium.signal(file))
    coded = {}

    def rate_at(setting):
        if setting not in coded:
            with codec.coding(file):
                coded[setting] = codec.encode(file, setting)
        return medium.rate_of(8 * coded[setting].packet_bytes, size)

    below, above = codec.lowest, codec.highest
    if rate_at(below) < rate < rate_at(above):
        while above - below > 1:
            middle = (below + above) // 2
            if rate_at(middle) <= rate:
                below = middle
            else:
                above = middle
    setting = min(coded, key=lambda each: abs(rate_at(each) - rate))
    decoded = _decoded(codec, coded[setting].files, file)
    row = {
        "quality": setting,
        unit: rate_at(setting),
        f"{unit}_file": medium.rate_of(8 * coded[setting].file_bytes, size),
        **medium.scores(file, decoded),
    }
    return row, decoded


def measure_ladder(codec: ClassicalCodec, file: Any) -> List[Row]:
    """Codes a file at the codec's ladder, writes each result to disk, reads and decodes it.

    Args:
        codec: of the file's medium.
        file: a named image or recording.

    Raises:
        CannotCode: the format cannot hold the file.
    """
    medium = codec.medium
    digest, size = medium.digest(file), medium.size(medium.signal(file))
    rows = []
    for setting in codec.ladder:
        start = time.perf_counter()
        with codec.coding(file):
            coded = codec.encode(file, setting)
        encode_seconds = time.perf_counter() - start
        stored = [_stored(data) for data in coded.files]
        start = time.perf_counter()
        decoded = _decoded(codec, stored, file)
        decode_seconds = time.perf_counter() - start
        bits = 8 * sum(map(len, stored))
        row = {
            "quality": setting,
            "file": file.name,
            "sha256": digest,
            **size,
            "bits_coded": bits,
            **medium.scores(file, decoded),
            "encode_seconds": encode_seconds,
            "decode_seconds": decode_seconds,
            medium.rate: medium.rate_of(bits, size),
        }
        if codec.has_container:
            row[f"{medium.rate}_packets"] = medium.rate_of(8 * coded.packet_bytes, size)
        rows.append(row)
    return rows


def _decoded(codec: ClassicalCodec, files: Sequence[bytes], file: Any) -> np.ndarray:
    """What coded files decode to, which must have the original's size."""
    with codec.coding(file):
        decoded = codec.decode(files, file)
        original = codec.medium.signal(file)[0]
        if decoded.shape != original.shape:
            raise ValueError(f"it decodes to {decoded.shape}, not {original.shape}")
    return decoded


def _stored(data: bytes) -> bytes:
    """The data after a round trip through the disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "coded"
        write_atomically(path, data)
        return path.read_bytes()
