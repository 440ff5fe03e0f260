"""What training logs of each medium: rate, quality and speed of images or audio."""

from __future__ import annotations

import math
from typing import Dict, NamedTuple, Union

from models.transforms import Transforms
from signals.loudness import CODING_POWER


class ImageColumns(NamedTuple):
    """Bits per pixel and PSNR over 255."""

    example = "image"

    def quality(self, row: Dict[str, float]) -> Dict[str, float]:
        """Further columns that follow from ``mse``."""
        return {"psnr": _decibels(255**2, row["mse"])}

    def text(self, row: Dict[str, float]) -> str:
        """Rate and quality, as shown in the terminal."""
        return f"bpp {row['bpp']:.4f}  mse {row['mse']:.2f}  PSNR {row['psnr']:.2f} dB"


class AudioColumns(NamedTuple):
    """Kilobits per second of one channel, and the error against the level of coding.

    Attributes:
        sample_rate: of the model, in Hz.
    """

    sample_rate: int
    example = "segment"

    def quality(self, row: Dict[str, float]) -> Dict[str, float]:
        """Further columns that follow from ``bpp`` (bits per sample) and ``mse``."""
        kbps = row["bpp"] * self.sample_rate / 1000
        return {"kbps": kbps, "snr": _decibels(CODING_POWER, row["mse"])}

    def text(self, row: Dict[str, float]) -> str:
        """Rate and quality, as shown in the terminal."""
        return (
            f"kbps {row['kbps']:.3f}  distortion {row['distortion']:.2f}  SNR {row['snr']:.2f} dB"
        )


LogColumns = Union[ImageColumns, AudioColumns]


def log_columns(transforms: Transforms) -> LogColumns:
    """The columns of a model's medium."""
    if transforms.medium == "audio":
        return AudioColumns(transforms.sample_rate)
    return ImageColumns()


def _decibels(power: float, error: float) -> float:
    return 10 * math.log10(power / error) if error > 0 else math.inf
