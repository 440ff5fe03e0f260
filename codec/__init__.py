"""Whole files in and out: the .rtc container and the codecs of trained models."""

from __future__ import annotations

import importlib
from typing import Any

from codec.container import AUDIO_HEADER_LIMIT, HEADER_LIMIT, DamagedFile, ForeignFile, TooLarge

_LATER = {
    "Audio": "codec.audio_codec",
    "AudioCodec": "codec.audio_codec",
    "ImageCodec": "codec.image_codec",
}
"""Imported when they are asked for: reading a header needs no TensorFlow, whose import is slow."""

__all__ = [
    "AUDIO_HEADER_LIMIT",
    "HEADER_LIMIT",
    "Audio",
    "AudioCodec",
    "DamagedFile",
    "ForeignFile",
    "ImageCodec",
    "TooLarge",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'codec' has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
