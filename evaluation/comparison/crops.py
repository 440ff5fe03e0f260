"""What codecs make of the same pictures at nearly the same rate, for the report page.

A learned codec's picture is decoded anew from the file that its evaluation wrote; a classical
codec's is the file that comes nearest to the learned ones' rate.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence, Tuple

import numpy as np

from assembly.saved_run import load_run
from evaluation.classical.matches import CLASSICAL, closest_to
from evaluation.comparison.curve_groups import is_run
from evaluation.comparison.measurements import Measurement
from evaluation.figures.crops import Crop
from evaluation.measure import Image, coded_file, pixel_digest
from evaluation.metrics import image as metrics

CROP_PIXELS = 256

Decoded = Tuple[np.ndarray, float]
"""Pixels uint8 [height, width, 3] of a decoded file, and its bits per pixel."""


def crops_at(
    groups: Mapping[str, Sequence[Measurement]], images: Sequence[Image], bpp: float
) -> List[Crop]:
    """The middle of each image, by each codec that can show it.

    Of a group of runs each image is shown by the run whose file is nearest to ``bpp``. Published
    curves and runs without their coded files show nothing.

    Args:
        groups: name of a curve -> its runs, or its one file.
        images: originals that the runs were evaluated on.
        bpp: wanted rate, bits per pixel.

    Raises:
        ValueError: ``bpp`` is not positive, or a run was not evaluated on an image.
    """
    if not bpp > 0:
        raise ValueError(f"bpp={bpp} must be above 0.")
    by_name = {codec.name: codec for codec in CLASSICAL.values()}
    decoded: Dict[str, List[Decoded]] = {}
    for name, members in groups.items():
        if is_run(members[0]):
            runs = [run for run in members if run.path.with_suffix("").is_dir()]
            if runs:
                decoded[name] = _by_runs(runs, images, bpp)
        elif members[0].results.name in by_name:
            codec = by_name[members[0].results.name]
            matches = [closest_to(codec, image.pixels, bpp) for image in images]
            decoded[name] = [
                (codec.decode(codec.encode(image.pixels, match.quality)), match.bpp)
                for image, match in zip(images, matches)
            ]
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


def _by_runs(runs: Sequence[Measurement], images: Sequence[Image], bpp: float) -> List[Decoded]:
    codecs = {}
    pictures = []
    for image in images:
        files = [(run, _file(run, image)) for run in runs]
        run, data = min(files, key=lambda each: abs(np.log(_rate(each[1], image) / bpp)))
        if run.path not in codecs:
            codecs[run.path] = load_run(str(run.path.parent.parent)).codec
        pictures.append((codecs[run.path].decode(data), _rate(data, image)))
    return pictures


def _file(run: Measurement, image: Image) -> bytes:
    if run.rows is not None and pixel_digest(image.pixels) not in run.rows.digests:
        raise ValueError(f"{image.name} is not among the images that {run.source} was measured on.")
    return coded_file(run.path.with_suffix(""), image.name).read_bytes()


def _rate(data: bytes, image: Image) -> float:
    return 8 * len(data) / (image.pixels.shape[0] * image.pixels.shape[1])


def _middle(pixels: np.ndarray) -> np.ndarray:
    top, left = (max(size - CROP_PIXELS, 0) // 2 for size in pixels.shape[:2])
    return pixels[top : top + CROP_PIXELS, left : left + CROP_PIXELS]
