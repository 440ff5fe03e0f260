"""Finds the quality at which a file has a given size."""

from __future__ import annotations

from typing import Any, Tuple

from codec.container import HIGHEST_QUALITY
from codec.file_codec import FileCodec


def encode_within(
    codec: FileCodec, signal: Tuple, most: int, *, asked: str = "", **options: Any
) -> Tuple[bytes, int]:
    """Codes a file at the highest quality whose bytes do not exceed ``most``.

    By bisection, which takes files to grow with the quality; they may not by a few bytes, so that
    one that fits may be missed among neighbours of the same size.

    Args:
        codec: of a model for every rate.
        signal: arguments of ``codec.encode``: the pixels, or the samples and their rate.
        most: bytes of the .rtc file, header included.
        asked: how the user said so, as ``--target-bpp 0.5``, for errors.
        options: further arguments of ``codec.encode``.

    Returns:
        The file, and its quality in hundredths.

    Raises:
        ValueError: even at quality 0 the file is larger, or the model has one rate.
    """

    def encode(quality: int) -> bytes:
        return codec.at_quality(quality).encode(*signal, **options)

    best, fits = encode(0), 0
    if len(best) > most:
        limit = f"{most} bytes are too few: at quality 0 the file has {len(best)}."
        raise ValueError(f"{asked}: {limit}" if asked else limit)
    largest, too_large = encode(HIGHEST_QUALITY), HIGHEST_QUALITY
    if len(largest) <= most:
        return largest, HIGHEST_QUALITY
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        data = encode(middle)
        if len(data) <= most:
            fits, best = middle, data
        else:
            too_large = middle
    return best, fits
