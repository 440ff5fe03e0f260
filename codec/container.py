"""The .rtc container: one coded image, and enough to refuse everything else.

Layout, all integers little-endian:

| bytes | content |
|---|---|
| 3 | ``RTC`` |
| 1 | format version |
| 8 | fingerprint of the model and its coding tables |
| 1 to 4 | height, base-128 varint |
| 1 to 4 | width, base-128 varint |
| the rest but 4 | payload, see ``codec.latent_coder`` |
| 4 | CRC-32 of all that stands before |

The CRC finds every single flipped bit and every burst of up to 32 bits; other damage passes with
probability 2**-32. The fingerprint is checked after it, so damage is never taken for a wrong model.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from codec.varint import from_varint, to_varint

MAGIC = b"RTC"
VERSION = 1
FINGERPRINT_BYTES = 8
HEADER_LIMIT = len(MAGIC) + 1 + FINGERPRINT_BYTES + 4 + 4 + 4
"""Bytes of a file that are not payload: never more than this (24)."""

LARGEST_SIDE = 2**24
LARGEST_IMAGE = 2**28


class DamagedFile(ValueError):
    """The data were an .rtc file once, but bytes are missing or changed."""


class ForeignFile(ValueError):
    """The data are no .rtc file, of another format version, or coded by another model."""


class CodedImage(NamedTuple):
    """What a container holds: the image's size in pixels and the range-coded symbols."""

    height: int
    width: int
    payload: bytes


def pack(image: CodedImage, fingerprint: bytes) -> bytes:
    """The bytes of one .rtc file.

    Args:
        image: sizes and payload.
        fingerprint: 8 bytes that name the model, see ``codec.fingerprint``.

    Raises:
        ValueError: the fingerprint is not 8 bytes, or the image is empty or too large.
    """
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise ValueError(f"fingerprint={fingerprint!r} must have {FINGERPRINT_BYTES} bytes.")
    _check_size(image.height, image.width)
    head = MAGIC + bytes([VERSION]) + fingerprint
    body = head + to_varint(image.height) + to_varint(image.width) + image.payload
    return body + struct.pack("<I", zlib.crc32(body))


def unpack(data: bytes, fingerprint: bytes) -> CodedImage:
    """Reads what ``pack`` wrote.

    Args:
        data: a whole file.
        fingerprint: of the model that is to decode it.

    Raises:
        ForeignFile: not an .rtc file, another format version, or another model's.
        DamagedFile: truncated or altered.
    """
    if not data:
        raise ForeignFile("The file is empty (0 bytes): not an .rtc file.")
    if data[: len(MAGIC)] != MAGIC:
        raise ForeignFile(f"Not an .rtc file: it starts with {data[:3]!r}, not {MAGIC!r}.")
    smallest = HEADER_LIMIT - 6
    if len(data) < smallest:
        raise DamagedFile(f"Truncated .rtc file: {len(data)} bytes, at least {smallest} needed.")
    if data[3] != VERSION:
        raise ForeignFile(f"The .rtc file has format version {data[3]}; this reads {VERSION}.")
    body, checksum = data[:-4], struct.unpack("<I", data[-4:])[0]
    if zlib.crc32(body) != checksum:
        raise DamagedFile("Damaged .rtc file: its checksum does not fit (truncated or altered).")
    start = len(MAGIC) + 1
    if body[start : start + FINGERPRINT_BYTES] != fingerprint:
        raise ForeignFile(
            "The .rtc file was coded by another model: its fingerprint is "
            f"{body[start : start + FINGERPRINT_BYTES].hex()}, this model's {fingerprint.hex()}."
        )
    try:
        height, start = from_varint(body, start + FINGERPRINT_BYTES)
        width, start = from_varint(body, start)
        _check_size(height, width)
    except ValueError as error:
        raise DamagedFile(f"Damaged .rtc file: {error}") from error
    return CodedImage(height, width, body[start:])


def _check_size(height: int, width: int) -> None:
    if not (0 < height < LARGEST_SIDE and 0 < width < LARGEST_SIDE):
        raise ValueError(f"height={height}, width={width}: sides must be 1 to {LARGEST_SIDE - 1}.")
    if height * width > LARGEST_IMAGE:
        raise ValueError(
            f"height={height}, width={width}: an image may have up to {LARGEST_IMAGE} pixels."
        )
