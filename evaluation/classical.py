"""JPEG and WebP through Pillow: the yardstick that every reader knows.

JPEG has Pillow's default chroma subsampling (4:2:0) and optimised Huffman tables; WebP is lossy
(always 4:2:0) at method 6, the slowest and smallest. Rates are of whole files, headers included.
"""

from __future__ import annotations

import dataclasses
import io
import time
from typing import Any, Dict, Iterable, NamedTuple, Sequence

import numpy as np
from PIL import Image as PillowImage

from evaluation import metrics
from evaluation.measure import Image, pixel_digest
from evaluation.results import Dataset, Results

# Dense where learned codecs work, 0.1 to 2 bpp.
LADDER_QUALITIES = (5, 10, 20, 35, 50, 65, 80, 90, 95)


@dataclasses.dataclass(frozen=True)
class ClassicalCodec:
    """A file format with one integer quality setting."""

    name: str
    lowest: int
    highest: int
    options: Dict[str, Any]

    def encode(self, pixels: np.ndarray, quality: int) -> bytes:
        """The whole file of uint8 pixels [height, width, 3]."""
        file = io.BytesIO()
        PillowImage.fromarray(pixels).save(file, self.name, quality=quality, **self.options)
        return file.getvalue()

    def decode(self, data: bytes) -> np.ndarray:
        """uint8 [height, width, 3]."""
        with PillowImage.open(io.BytesIO(data), formats=[self.name]) as image:
            return np.array(image.convert("RGB"))


JPEG = ClassicalCodec("JPEG", lowest=1, highest=100, options={"optimize": True})
WEBP = ClassicalCodec("WebP", lowest=0, highest=100, options={"method": 6})


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
        codec: `JPEG` or `WEBP`.
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
    qualities: Sequence[int] = LADDER_QUALITIES,
) -> Results:
    """The codec's rate-distortion curve: one operating point a quality, means over the images.

    Args:
        codec: `JPEG` or `WEBP`.
        images: Named images; read once, one at a time.
        dataset: The name of the dataset.
        qualities: Quality settings, in the order of the points.

    Raises:
        ValueError: There are no images.
    """
    measured, digests = [], []
    for image in images:
        measured.append([_measure(codec, image.pixels, quality) for quality in qualities])
        digests.append(pixel_digest(image.pixels))
    if not measured:
        raise ValueError("images must hold at least one image to measure, got none")
    keys = ("bpp", "psnr-rgb", "ms-ssim-rgb", "encoding_time", "decoding_time")
    means = np.mean(measured, axis=0)  # [image, quality, key] -> [quality, key]
    settings = ", ".join(f"{key}={value}" for key, value in codec.options.items())
    return Results(
        name=codec.name,
        description=f"{codec.name} through Pillow {PillowImage.__version__}, {settings}",
        points=dict(zip(keys, means.T.tolist())),
        dataset=Dataset.from_digests(dataset, digests),
        provenance={"qualities": list(qualities)},
    )


def _measure(codec, pixels, quality):
    start = time.perf_counter()
    data = codec.encode(pixels, quality)
    encoded = time.perf_counter()
    decoded = codec.decode(data)
    finished = time.perf_counter()
    return (
        8 * len(data) / (pixels.shape[0] * pixels.shape[1]),
        metrics.psnr(pixels, decoded),
        metrics.ms_ssim(pixels, decoded),
        encoded - start,
        finished - encoded,
    )
