"""Whole files in and out: the .rtc container and the image codec over a trained model."""

from codec.container import HEADER_LIMIT, DamagedFile, ForeignFile
from codec.files import write_atomically
from codec.image_codec import ImageCodec, RateEstimate

__all__ = [
    "HEADER_LIMIT",
    "DamagedFile",
    "ForeignFile",
    "ImageCodec",
    "RateEstimate",
    "write_atomically",
]
