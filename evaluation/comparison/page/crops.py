"""Crops of the same images as each codec codes them at nearly the same rate.

A learned codec's image is decoded from the file that its evaluation wrote; a classical codec codes
the image at the setting that comes nearest to the rate.
"""

from __future__ import annotations

import pathlib
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from codec.file_codec import FileCodec
from evaluation.classical import classical_codecs
from evaluation.classical.matches import closest_to
from evaluation.comparison.measurements import Measurement
from evaluation.figures.crops import Crop
from evaluation.measure import coded_file
from evaluation.media import IMAGE
from evaluation.metrics import image as metrics
from signals.image_files import NamedImage

CROP_PIXELS = 256

Decoded = Tuple[np.ndarray, float]
"""Pixels uint8 [height, width, 3] of a decoded file, and its bits per pixel."""


def crops_at(
    groups: Mapping[str, Sequence[Measurement]],
    images: Sequence[NamedImage],
    bpp: float,
    load_codec: Callable[[pathlib.Path], FileCodec],
) -> List[Crop]:
    """The middle of each image, by each codec that can show it.

    Of a group of runs, the run whose file is nearest to ``bpp`` shows the image. Published curves
    and runs without their coded files show nothing.

    Args:
        groups: name of a curve -> its runs, or its one file.
        images: originals that the runs were evaluated on.
        bpp: wanted rate, bits per pixel.
        load_codec: loads the codec of a run directory.

    Raises:
        ValueError: ``bpp`` is not positive, or a run was not evaluated on an image.
    """
    if not bpp > 0:
        raise ValueError(f"bpp={bpp} must be above 0.")
    classical = {codec.name: codec for codec in classical_codecs().values()}
    decoded: Dict[str, List[Decoded]] = {}
    for name, members in groups.items():
        runs = [run for run in members if run.is_run and run.path.with_suffix("").is_dir()]
        if runs:
            decoded[name] = _by_runs(runs, images, bpp, load_codec)
        elif members[0].results.name in classical and not members[0].is_run:
            matches = [closest_to(classical[members[0].results.name], i, bpp) for i in images]
            decoded[name] = [(pixels, row["bpp"]) for row, pixels in matches]
    return [
        Crop(
            image.name,
            name,
            _middle(image.pixels),
            _middle(pixels),
            rate,
            metrics.psnr(image.pixels, pixels),
        )
        for number, image in enumerate(images)
        for name, (pixels, rate) in ((name, each[number]) for name, each in decoded.items())
    ]


def _by_runs(runs, images, bpp, load_codec) -> List[Decoded]:
    codecs = {}
    decoded = []
    for image in images:
        files = [(run, _file(run, image)) for run in runs]
        run, data = min(files, key=lambda each: abs(np.log(_rate(each[1], image) / bpp)))
        if run.path not in codecs:
            codecs[run.path] = load_codec(run.path.parent.parent)
        decoded.append((codecs[run.path].decode(data), _rate(data, image)))
    return decoded


def _file(run: Measurement, image: NamedImage) -> bytes:
    if run.rows and IMAGE.digest(image) not in run.rows[0].digests:
        raise ValueError(f"{image.name} is not among the images that {run.source} was measured on.")
    return coded_file(run.path.with_suffix(""), image.name).read_bytes()


def _rate(data: bytes, image: NamedImage) -> float:
    return 8 * len(data) / (image.pixels.shape[0] * image.pixels.shape[1])


def _middle(pixels: np.ndarray) -> np.ndarray:
    top, left = (max(size - CROP_PIXELS, 0) // 2 for size in pixels.shape[:2])
    return pixels[top : top + CROP_PIXELS, left : left + CROP_PIXELS]
