"""Classical codecs beside learned ones: the yardstick that every reader knows.

They are measured as the learned ones are: on files that were written to disk and decoded again.
"""

from __future__ import annotations

import pathlib
import tempfile
import time
from typing import Iterable, List, NamedTuple, Optional, Sequence

import numpy as np

from evaluation.classical.image_formats import (
    CLASSICAL,
    JPEG,
    LADDER_QUALITIES,
    WEBP,
    ClassicalCodec,
)
from evaluation.measure import Image, pixel_digest
from evaluation.metrics import image as metrics
from evaluation.results import Dataset, Results
from signals.files import write_atomically

__all__ = [
    "CLASSICAL",
    "JPEG",
    "LADDER_QUALITIES",
    "WEBP",
    "ClassicalCodec",
    "ClassicalMatch",
    "ClassicalRow",
    "closest_to",
    "curve_of_rows",
    "ladder",
    "measure_settings",
]


class ClassicalRow(NamedTuple):
    """One file of one setting. Times in seconds, PSNR in dB."""

    quality: int
    file: str
    sha256: str  # of the original pixels
    height: int
    width: int
    bits_coded: int  # 8 x the size on disk, header included
    psnr: float
    ms_ssim: float
    encode_seconds: float
    decode_seconds: float

    @property
    def bpp(self) -> float:
        """Bits per pixel of the file on disk."""
        return self.bits_coded / (self.height * self.width)


class ClassicalMatch(NamedTuple):
    """The file of a classical codec nearest to a wanted rate; `bpp` is what it really has."""

    quality: int
    bpp: float
    psnr: float
    ms_ssim: float


def closest_to(codec: ClassicalCodec, pixels: np.ndarray, bpp: float) -> ClassicalMatch:
    """Finds the quality whose file comes nearest to a rate, by bisection.

    A rate outside the codec's range gives the end of the range. (Sizes may dip by a few bytes from
    one quality to the next; the nearest is then the nearest of those that bisection looked at.)

    Args:
        codec: One of `CLASSICAL`.
        pixels: uint8 [height, width, 3].
        bpp: The wanted rate, in bits per pixel.

    Returns:
        The match, with its real rate and quality.

    Raises:
        ValueError: `bpp` is not a positive number.
    """
    if not bpp > 0:
        raise ValueError(f"bpp must be positive, got {bpp}")
    pixel_count = pixels.shape[0] * pixels.shape[1]
    files = {quality: codec.encode(pixels, quality) for quality in (codec.lowest, codec.highest)}
    below, above = codec.lowest, codec.highest
    while above - below > 1:
        middle = (below + above) // 2
        files[middle] = codec.encode(pixels, middle)
        if 8 * len(files[middle]) / pixel_count <= bpp:
            below = middle
        else:
            above = middle
    quality = min(files, key=lambda quality: abs(8 * len(files[quality]) / pixel_count - bpp))
    decoded = codec.decode(files[quality])
    return ClassicalMatch(
        quality=quality,
        bpp=8 * len(files[quality]) / pixel_count,
        psnr=metrics.psnr(pixels, decoded),
        ms_ssim=metrics.ms_ssim(pixels, decoded),
    )


def ladder(
    codec: ClassicalCodec,
    images: Iterable[Image],
    *,
    dataset: str,
    qualities: Optional[Sequence[int]] = None,
) -> Results:
    """The codec's rate-distortion curve: one operating point a setting, means over the images.

    Args:
        codec: One of `CLASSICAL`.
        images: Named images; read once, one at a time.
        dataset: The name of the dataset.
        qualities: Settings, in the order of the points; None takes the codec's ladder.

    Raises:
        ValueError: There are no images.
    """
    qualities = codec.ladder if qualities is None else qualities
    rows = [row for image in images for row in measure_settings(codec, image, qualities)]
    return curve_of_rows(codec, rows, dataset=dataset)


def measure_settings(
    codec: ClassicalCodec, image: Image, qualities: Sequence[int]
) -> List[ClassicalRow]:
    """Codes one image at several settings, each to a file that is read and decoded again.

    Args:
        codec: One of `CLASSICAL`.
        image: A named image.
        qualities: Settings, in the order of the rows.
    """
    digest = pixel_digest(image.pixels)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "coded"
        for quality in qualities:
            start = time.perf_counter()
            data = codec.encode(image.pixels, quality)
            encode_seconds = time.perf_counter() - start
            write_atomically(path, data)
            stored = path.read_bytes()
            start = time.perf_counter()
            decoded = codec.decode(stored)
            decode_seconds = time.perf_counter() - start
            rows.append(
                ClassicalRow(
                    quality=quality,
                    file=image.name,
                    sha256=digest,
                    height=image.pixels.shape[0],
                    width=image.pixels.shape[1],
                    bits_coded=8 * len(stored),
                    psnr=metrics.psnr(image.pixels, decoded),
                    ms_ssim=metrics.ms_ssim(image.pixels, decoded),
                    encode_seconds=encode_seconds,
                    decode_seconds=decode_seconds,
                )
            )
    return rows


_POINT_OF_ROWS = {
    "bpp": "bpp",
    "psnr-rgb": "psnr",
    "ms-ssim-rgb": "ms_ssim",
    "encoding_time": "encode_seconds",
    "decoding_time": "decode_seconds",
}


def curve_of_rows(codec: ClassicalCodec, rows: Sequence[ClassicalRow], *, dataset: str) -> Results:
    """Means over the images, a point for each setting, in the order in which settings appear.

    Raises:
        ValueError: There are no rows.
    """
    if not rows:
        raise ValueError("images must hold at least one image to measure, got none")
    at = {}
    for row in rows:
        at.setdefault(row.quality, []).append(row)
    return Results(
        name=codec.name,
        description=codec.description,
        points={
            key: [float(np.mean([getattr(row, column) for row in point])) for point in at.values()]
            for key, column in _POINT_OF_ROWS.items()
        },
        dataset=Dataset.from_digests(dataset, [row.sha256 for row in next(iter(at.values()))]),
        provenance={
            "qualities": list(at),
            "codec": {"options": dict(codec.options), "versions": codec.versions()},
        },
    )
