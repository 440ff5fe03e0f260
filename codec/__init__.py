"""Whole files in and out: the .rtc container and the codecs of trained models."""

from codec.audio_codec import Audio, AudioCodec
from codec.container import AUDIO_HEADER_LIMIT, HEADER_LIMIT, DamagedFile, ForeignFile, TooLarge
from codec.image_codec import ImageCodec
from codec.quantized_file import RateEstimate

__all__ = [
    "AUDIO_HEADER_LIMIT",
    "HEADER_LIMIT",
    "Audio",
    "AudioCodec",
    "DamagedFile",
    "ForeignFile",
    "ImageCodec",
    "RateEstimate",
    "TooLarge",
]
