"""What measuring a classical codec takes from its medium."""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from evaluation.audio_measure import quality, sample_digest
from evaluation.measure import pixel_digest
from evaluation.media import IMAGE, Medium
from evaluation.metrics import image as image_metrics


def scores(medium: Medium, file: Any, decoded: np.ndarray) -> Dict[str, float]:
    """All metrics of a decoded file: column -> value."""
    if medium is IMAGE:
        return {
            "psnr": image_metrics.psnr(file.pixels, decoded),
            "ms_ssim": image_metrics.ms_ssim(file.pixels, decoded),
        }
    return quality(file.samples, decoded, file.sample_rate)._asdict()


def size(medium: Medium, file: Any) -> Dict[str, int]:
    """Columns of a file's size."""
    if medium is IMAGE:
        return dict(zip(("height", "width"), file.pixels.shape))
    samples, channels = file.samples.shape
    return {"sample_rate": file.sample_rate, "samples": samples, "channels": channels}


def rate(medium: Medium, bits: float, file: Any) -> float:
    """The rate of a file of so many bits, in the medium's unit."""
    if medium is IMAGE:
        return bits / (file.pixels.shape[0] * file.pixels.shape[1])
    return bits / (len(file.samples) / file.sample_rate) / 1000


def digest(file: Any) -> str:
    """SHA-256 of the original."""
    if hasattr(file, "pixels"):
        return pixel_digest(file.pixels)
    return sample_digest(file.samples, file.sample_rate)
