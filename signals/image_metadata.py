"""Metadata of image files: the orientation, and files without all the rest.

Pillow refuses whole files for what is wrong with their metadata: a colour profile or a text of more
than a megabyte, a text chunk of a wrong checksum.
"""

from __future__ import annotations

import struct
import zlib
from typing import Iterator, Optional, Tuple

from PIL import ExifTags, Image

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"

# What decides the pixels, and EXIF for the orientation. An APNG's first frame is its IDAT.
_KEPT_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")

# JFIF and Adobe (which tells the colour transform) decide pixels; EXIF has the orientation.
_APPLICATION, _COMMENT = range(0xE0, 0xF0), 0xFE
_START_OF_SCAN = 0xDA


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, of an open image; 1 (upright) if none can be read."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # Damaged EXIF raises struct.error, SyntaxError, ValueError and others.
        return 1


def without_metadata(encoded: bytes) -> Optional[bytes]:
    """The file without all that decides neither pixels nor orientation; None if it has no such."""
    if encoded.startswith(_PNG):
        kept = _PNG + b"".join(
            part
            for kind, part in _chunks(encoded)
            if kind in _KEPT_CHUNKS and (kind != b"eXIf" or _is_whole(part))
        )
    elif encoded.startswith(_JPEG):
        kept = _JPEG + b"".join(
            part for kind, part in _segments(encoded) if not _is_extra(kind, part)
        )
    else:
        return None
    return kept if len(kept) < len(encoded) else None


def _chunks(encoded: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """Type and whole of each chunk of a PNG file; a chunk that is cut short is left out."""
    start = len(_PNG)
    while start + 12 <= len(encoded):
        (length,) = struct.unpack(">I", encoded[start : start + 4])
        end = start + 12 + length
        if end > len(encoded):
            return
        yield encoded[start + 4 : start + 8], encoded[start:end]
        start = end


def _is_whole(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _segments(encoded: bytes) -> Iterator[Tuple[int, bytes]]:
    """Marker and whole of each segment of a JPEG file; from the first scan on in one piece."""
    start = len(_JPEG)
    while start + 4 <= len(encoded) and encoded[start] == 0xFF:
        marker = encoded[start + 1]
        if marker == _START_OF_SCAN:
            break
        (length,) = struct.unpack(">H", encoded[start + 2 : start + 4])
        yield marker, encoded[start : start + 2 + length]
        start += 2 + length
    yield _START_OF_SCAN, encoded[start:]


def _is_extra(marker: int, segment: bytes) -> bool:
    if marker == _COMMENT:
        return True
    kept = {0xE0: b"JFIF\0", 0xE1: b"Exif\0", 0xEE: b"Adobe"}
    return marker in _APPLICATION and not segment[4:].startswith(kept.get(marker, b"\0none"))
