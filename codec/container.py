"""The .rtc container: one coded image or sound, and enough to refuse everything else.

Layout, all integers little-endian:

| bytes | content |
|---|---|
| 3 | ``RTC`` |
| 1 | format version, plus 128 where the file holds sound |
| 8 | fingerprint of the model and its coding tables |
| 2 to 8 | of an image: height, width, each a base-128 varint of up to 4 bytes |
| 4 to 10 | of sound: Hz (varint, up to 3), samples (varint, up to 5), channels, gain |
| the rest but 4 | payload, see ``codec.latent_coder``, of sound ``codec.blocks`` |
| 4 | CRC-32 of all that stands before |

The CRC finds every single flipped bit and every burst of up to 32 bits; other damage passes with
probability 2**-32. The fingerprint is checked after it, so damage is never taken for a wrong model.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple, Type, TypeVar

from codec.varint import from_varint, to_varint

MAGIC = b"RTC"
VERSION = 1
FINGERPRINT_BYTES = 8
HEADER_LIMIT = len(MAGIC) + 1 + FINGERPRINT_BYTES + 4 + 4 + 4
"""Bytes of an image's file that are not payload: never more than this (24)."""

AUDIO_HEADER_LIMIT = HEADER_LIMIT - 8 + 3 + 5 + 1 + 1
"""The same of sound (26)."""

LARGEST_SIDE = 2**24
LARGEST_IMAGE = 2**28
LARGEST_RATE = 2**20 - 1
LONGEST_SOUND = 2**32 - 1
MOST_CHANNELS = 255

_SOUND = 128


class DamagedFile(ValueError):
    """The data were an .rtc file once, but bytes are missing or changed."""


class ForeignFile(ValueError):
    """The data are no .rtc file, of another format version, or coded by another model."""


class CodedImage(NamedTuple):
    """What a container holds: the image's size in pixels and the range-coded symbols."""

    height: int
    width: int
    payload: bytes

    marker = 0
    contents = "an image"

    def head(self) -> bytes:
        """What stands between fingerprint and payload."""
        _check_size(self.height, self.width)
        return to_varint(self.height) + to_varint(self.width)

    @classmethod
    def read(cls, body: bytes, start: int) -> CodedImage:
        """From what ``head`` gave, at ``start``, and the payload behind it."""
        height, start = from_varint(body, start)
        width, start = from_varint(body, start)
        _check_size(height, width)
        return cls(height, width, body[start:])


class CodedAudio(NamedTuple):
    """What a container of sound holds.

    Attributes:
        sample_rate: of the recording, in Hz.
        length: of the recording, in samples.
        channels: of the recording.
        gain: half-decibels that it was raised by before it was coded.
        payload: the range-coded symbols.
    """

    sample_rate: int
    length: int
    channels: int
    gain: int
    payload: bytes

    marker = _SOUND
    contents = "sound"

    def head(self) -> bytes:
        """What stands between fingerprint and payload."""
        self._check()
        numbers = to_varint(self.sample_rate) + to_varint(self.length)
        return numbers + struct.pack("<Bb", self.channels, self.gain)

    @classmethod
    def read(cls, body: bytes, start: int) -> CodedAudio:
        """From what ``head`` gave, at ``start``, and the payload behind it."""
        sample_rate, start = from_varint(body, start)
        length, start = from_varint(body, start, most=5)
        if len(body) < start + 2:
            raise ValueError("channels and gain are missing.")
        channels, gain = struct.unpack("<Bb", body[start : start + 2])
        audio = cls(sample_rate, length, channels, gain, body[start + 2 :])
        audio._check()
        return audio

    def _check(self) -> None:
        limits = {
            "sample_rate": LARGEST_RATE, "length": LONGEST_SOUND, "channels": MOST_CHANNELS
        }  # fmt: skip
        for name, largest in limits.items():
            if not 0 < getattr(self, name) <= largest:
                raise ValueError(f"{name}={getattr(self, name)} must be 1 to {largest}.")


Coded = TypeVar("Coded", CodedImage, CodedAudio)


def pack(coded: Coded, fingerprint: bytes) -> bytes:
    """The bytes of one .rtc file.

    Args:
        coded: sizes and payload.
        fingerprint: 8 bytes that name the model, see ``codec.fingerprint``.

    Raises:
        ValueError: the fingerprint is not 8 bytes, or what is coded is empty or too large.
    """
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise ValueError(f"fingerprint={fingerprint!r} must have {FINGERPRINT_BYTES} bytes.")
    head = MAGIC + bytes([VERSION + coded.marker]) + fingerprint + coded.head()
    body = head + coded.payload
    return body + struct.pack("<I", zlib.crc32(body))


def unpack(data: bytes, fingerprint: bytes, kind: Type[Coded] = CodedImage) -> Coded:
    """Reads what ``pack`` wrote.

    Args:
        data: a whole file.
        fingerprint: of the model that is to decode it.
        kind: what the model codes, ``CodedImage`` or ``CodedAudio``.

    Raises:
        ForeignFile: not an .rtc file, another format version, of another medium, or another
            model's.
        DamagedFile: truncated or altered.
    """
    if not data:
        raise ForeignFile("The file is empty (0 bytes): not an .rtc file.")
    if data[: len(MAGIC)] != MAGIC:
        raise ForeignFile(f"Not an .rtc file: it starts with {data[:3]!r}, not {MAGIC!r}.")
    smallest = HEADER_LIMIT - 6
    if len(data) < smallest:
        raise DamagedFile(f"Truncated .rtc file: {len(data)} bytes, at least {smallest} needed.")
    version = data[3] % _SOUND
    if version != VERSION:
        raise ForeignFile(f"The .rtc file has format version {version}; this reads {VERSION}.")
    body, checksum = data[:-4], struct.unpack("<I", data[-4:])[0]
    if zlib.crc32(body) != checksum:
        raise DamagedFile("Damaged .rtc file: its checksum does not fit (truncated or altered).")
    if data[3] - version != kind.marker:
        held = CodedImage.contents if kind is CodedAudio else CodedAudio.contents
        raise ForeignFile(f"The .rtc file holds {held}, and the model codes {kind.contents}.")
    start = len(MAGIC) + 1
    if body[start : start + FINGERPRINT_BYTES] != fingerprint:
        raise ForeignFile(
            "The .rtc file was coded by another model: its fingerprint is "
            f"{body[start : start + FINGERPRINT_BYTES].hex()}, this model's {fingerprint.hex()}."
        )
    try:
        return kind.read(body, start + FINGERPRINT_BYTES)
    except ValueError as error:
        raise DamagedFile(f"Damaged .rtc file: {error}") from error


def _check_size(height: int, width: int) -> None:
    if not (0 < height < LARGEST_SIDE and 0 < width < LARGEST_SIDE):
        raise ValueError(f"height={height}, width={width}: sides must be 1 to {LARGEST_SIDE - 1}.")
    if height * width > LARGEST_IMAGE:
        raise ValueError(
            f"height={height}, width={width}: an image may have up to {LARGEST_IMAGE} pixels."
        )
