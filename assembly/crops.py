"""What codecs make of the same pictures at nearly the same rate, for the report page.

A learned codec's picture is decoded anew from the file that its evaluation wrote; a classical
codec's is the file that comes nearest to the learned ones' rate.
"""

from __future__ import annotations

import pathlib
from typing import Dict, List, Mapping, Sequence

import numpy as np

from assembly.curve_groups import is_run
from assembly.saved_run import load_run
from evaluation import metrics
from evaluation.classical import CLASSICAL, closest_to
from evaluation.measure import Image, coded_file, pixel_digest
from evaluation.report_page import Crop
from evaluation.result_files import Measurement

CROP_PIXELS = 256


def crops_at(
    groups: Mapping[str, Sequence[Measurement]], images: Sequence[Image], bpp: float
) -> List[Crop]:
    """The middle of each image, by each codec that can show it.

    Of a group of runs the one whose mean rate is nearest to ``bpp`` is shown. Published curves and
    runs without their coded files show nothing.

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
    decoded: Dict[str, List[np.ndarray]] = {}
    rates: Dict[str, List[float]] = {}
    for name, members in groups.items():
        if is_run(members[0]):
            nearest = min(
                members, key=lambda each: abs(np.log(each.results.points["bpp"][0] / bpp))
            )
            folder = nearest.path.with_suffix("")
            if folder.is_dir():
                decoded[name], rates[name] = _decoded(nearest, folder, images)
        elif members[0].results.name in by_name:
            codec = by_name[members[0].results.name]
            decoded[name], rates[name] = [], []
            for image in images:
                match = closest_to(codec, image.pixels, bpp)
                decoded[name].append(codec.decode(codec.encode(image.pixels, match.quality)))
                rates[name].append(match.bpp)
    return [
        Crop(
            image.name,
            name,
            _middle(image.pixels),
            _middle(decoded[name][number]),
            rates[name][number],
            metrics.psnr(image.pixels, decoded[name][number]),
        )
        for number, image in enumerate(images)
        for name in decoded
    ]


def _decoded(run: Measurement, folder: pathlib.Path, images: Sequence[Image]):
    codec = load_run(str(run.path.parent.parent)).codec
    pictures, rates = [], []
    for image in images:
        if run.rows is not None and pixel_digest(image.pixels) not in run.rows.digests:
            raise ValueError(
                f"{image.name} is not among the images that {run.source} was measured on."
            )
        data = coded_file(folder, image.name).read_bytes()
        pictures.append(codec.decode(data))
        rates.append(8 * len(data) / (image.pixels.shape[0] * image.pixels.shape[1]))
    return pictures, rates


def _middle(pixels: np.ndarray) -> np.ndarray:
    top, left = (max(size - CROP_PIXELS, 0) // 2 for size in pixels.shape[:2])
    return pixels[top : top + CROP_PIXELS, left : left + CROP_PIXELS]
