"""What results of images and of sound are made of: rates, qualities, and the names of both."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Sequence, Tuple

import numpy as np


class Medium(NamedTuple):
    """One kind of file.

    Attributes:
        name: "image" or "audio".
        files: what its files are called.
        rate: key of the rate in results files, property of the rows that are measured.
        rate_label: its unit in words.
        points: quantity in results files -> attribute of a row that it is the mean of.
        rates: properties of a row that its CSV gives after the fields.
        compared: quantities that are read back from a CSV.
        partial: quantities that some files do not allow, whatever the codec: the mean is over those
            that do. (Of any other a NaN makes the mean NaN.)
    """

    name: str
    files: str
    rate: str
    rate_label: str
    points: Dict[str, str]
    rates: Tuple[str, ...]
    compared: Tuple[str, ...]
    partial: Tuple[str, ...] = ()

    def mean(self, quantity: str, rows: Sequence[Any]) -> float:
        """The mean of a quantity over measured files, as published results have it.

        It is infinite where a file's value is: leaving such files out would average quality and
        rate over different files.
        """
        values = np.array([getattr(row, self.points[quantity]) for row in rows], np.float64)
        return self.mean_of_values(quantity, values)

    def mean_of_values(self, quantity: str, values: np.ndarray) -> float:
        """The same of float64 [files]."""
        if quantity in self.partial and not np.isnan(values).all():
            values = values[~np.isnan(values)]
        return float(np.mean(values))


IMAGE = Medium(
    name="image",
    files="images",
    rate="bpp",
    rate_label="bits per pixel",
    points={
        "bpp": "bpp",
        "psnr-rgb": "psnr",
        "ms-ssim-rgb": "ms_ssim",
        "psnr-rgb-training": "psnr_training",
        "bpp-noise": "bpp_noise",
        "bpp-training": "bpp_training",
        "bpp-rounded": "bpp_rounded",
        "bpp-side": "bpp_side",
        "bpp-fixed-length": "bpp_fixed_length",
        "encoding_time": "encode_seconds",
        "decoding_time": "decode_seconds",
        "refining_time": "refine_seconds",
    },
    rates=("bpp_noise", "bpp_training", "bpp_rounded", "bpp_fixed_length", "bpp"),
    compared=("bpp", "psnr-rgb", "ms-ssim-rgb"),
)

AUDIO = Medium(
    name="audio",
    files="recordings",
    rate="kbps",
    rate_label="kbit/s",
    points={
        "kbps": "kbps",
        "si-sdr": "si_sdr",
        "log-mel": "log_mel",
        "pesq-nb": "pesq_nb",
        "pesq-wb": "pesq_wb",
        "stoi": "stoi",
        "si-sdr-training": "si_sdr_training",
        "kbps-noise": "kbps_noise",
        "kbps-training": "kbps_training",
        "kbps-rounded": "kbps_rounded",
        "kbps-fixed-length": "kbps_fixed_length",
        "encoding_time": "encode_seconds",
        "decoding_time": "decode_seconds",
    },
    rates=("kbps_noise", "kbps_training", "kbps_rounded", "kbps_fixed_length", "kbps"),
    compared=("kbps", "si-sdr", "log-mel", "pesq-nb", "pesq-wb", "stoi"),
    partial=("si-sdr", "si-sdr-training", "pesq-nb", "pesq-wb", "stoi"),
)

MEDIA = (IMAGE, AUDIO)
