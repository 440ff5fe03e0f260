"""Crops of the same images as each codec codes them at nearly the same rate.

A learned codec's image is decoded from the file that its evaluation wrote; a classical codec codes
the image at the setting that comes nearest to the rate.
"""

from __future__ import annotations

import pathlib
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from codec.file_codec import FileCodec
from evaluation.classical import classical_codecs
from evaluation.classical.matches import closest_to
from evaluation.comparison.curves import Curve
from evaluation.comparison.measurements import Measurement
from evaluation.figures.crops import Crop
from evaluation.measure import coded_file
from evaluation.media import IMAGE
from evaluation.metrics import image as metrics
from signals.image_files import NamedImage

CROP_PIXELS = 256

Decoded = Tuple[np.ndarray, float]
"""Pixels uint8 [height, width, 3] of a decoded file, and its bits per pixel."""


def common_rate(curves: Sequence[Curve]) -> float:
    """The middle, in log rate, of the rates that all curves have; of the first one's if none."""
    low, high = max(each.rates[0] for each in curves), min(each.rates[-1] for each in curves)
    if low > high:
        low, high = curves[0].rates[0], curves[0].rates[-1]
    return float(np.sqrt(low * high))


def crops_at(
    groups: Mapping[str, Sequence[Measurement]],
    images: Sequence[NamedImage],
    bpp: float,
    load_codec: Callable[[pathlib.Path], FileCodec],
) -> Tuple[List[Crop], List[str]]:
    """The middle of each image, by each codec that can show it.

    Of a group of runs, the run whose file is nearest to ``bpp`` shows the image. Published curves
    and runs without their coded files show nothing.

    Args:
        groups: name of a curve -> its runs, or its one file.
        images: originals that runs and codecs were evaluated on.
        bpp: wanted rate, bits per pixel.
        load_codec: loads the codec that wrote the files of a run's results file.

    Returns:
        The crops, and a sentence for each codec that cannot show an image.

    Raises:
        ValueError: ``bpp`` is not positive, or no codec can show an image for such a reason.
    """
    if not bpp > 0:
        raise ValueError(f"bpp={bpp} must be above 0.")
    crops, missing = [], {}
    codecs: Dict[pathlib.Path, FileCodec] = {}
    for image in images:
        for name, members in groups.items():
            try:
                decoded = _decoded(members, image, bpp, codecs, load_codec)
            except (ValueError, OSError) as error:
                missing.setdefault(name, f"No crop of {image.name} by {name}: {error}")
                continue
            if decoded is not None:
                pixels, rate = decoded
                quality = metrics.psnr(image.pixels, pixels)
                both = _middle(image.pixels), _middle(pixels)
                crops.append(Crop(image.name, name, *both, rate, quality))
    if missing and not crops:
        raise ValueError(next(iter(missing.values())))
    return crops, list(missing.values())


def _decoded(members, image, bpp, codecs, load_codec) -> Optional[Decoded]:
    """What a group makes of an image; None if it keeps no files of it."""
    runs = [run for run in members if run.is_run and run.path.with_suffix("").is_dir()]
    if runs:
        for run in runs:
            _check_measured(run, image)
        files = [(run, _file(run, image)) for run in runs]
        run, data = min(files, key=lambda each: abs(np.log(_rate(each[1], image) / bpp)))
        if run.path not in codecs:
            codecs[run.path] = load_codec(run.path)
        pixels = codecs[run.path].decode(data)
        if np.shape(pixels) != image.pixels.shape:
            raise ValueError(f"{run.source} has a file of {np.shape(pixels)} under that name.")
        return pixels, _rate(data, image)
    known = {codec.name: codec for codec in classical_codecs().values()}
    codec = known.get(members[0].results.name)
    if codec is None or codec.medium is not IMAGE or members[0].is_run:
        return None
    _check_measured(members[0], image)
    row, pixels = closest_to(codec, image, bpp)
    return pixels, row["bpp"]


def _check_measured(measurement: Measurement, image: NamedImage) -> None:
    if measurement.rows and IMAGE.digest(image) not in measurement.rows[0].digests:
        raise ValueError(
            f"{image.name} is not among the images that {measurement.source} was measured on."
        )


def _file(run: Measurement, image: NamedImage) -> bytes:
    return coded_file(run.path.with_suffix(""), image.name).read_bytes()


def _rate(data: bytes, image: NamedImage) -> float:
    return 8 * len(data) / (image.pixels.shape[0] * image.pixels.shape[1])


def _middle(pixels: np.ndarray) -> np.ndarray:
    top, left = (max(size - CROP_PIXELS, 0) // 2 for size in pixels.shape[:2])
    return pixels[top : top + CROP_PIXELS, left : left + CROP_PIXELS]
