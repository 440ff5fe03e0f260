"""The .rtc container: one coded image or recording, and enough to refuse everything else.

Layout, all integers little-endian:

| bytes | content |
|---|---|
| 3 | ``RTC`` |
| 1 | format version: 2 with a quality, otherwise 1; plus 128 if the file holds audio |
| 8 | fingerprint of the model and its coding tables |
| 1 to 2 | version 2, of a model for every rate: quality in hundredths, 0 to 10000 (varint) |
| 2 to 8 | image: height, width, each a base-128 varint of up to 4 bytes |
| 4 to 10 | audio: Hz (varint, up to 3), samples (varint, up to 5), channels, gain |
| all but the last 4 | payload, see ``codec.latent_coder``; audio: see ``codec.blocks`` |
| 4 | CRC-32 of everything before it |

The CRC finds every single flipped bit and every burst of up to 32 bits; other damage passes with
probability 2**-32. The fingerprint is checked after it, so damage is never taken for a wrong model.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from typing import Iterator, NamedTuple, Optional, Type, TypeVar

from codec.varint import from_varint, to_varint

MAGIC = b"RTC"
FINGERPRINT_BYTES = 8
HEADER_LIMIT = len(MAGIC) + 1 + FINGERPRINT_BYTES + 2 + 4 + 4 + 4
"""Most bytes of an image's file that are not payload (26)."""

AUDIO_HEADER_LIMIT = HEADER_LIMIT - 8 + 3 + 5 + 1 + 1
"""Most bytes of an audio file that are not payload (28)."""

HIGHEST_QUALITY = 10000
"""In hundredths."""

LARGEST_SIDE = 2**24 - 1
LARGEST_IMAGE = 2**28
LARGEST_RATE = 2**20 - 1
LONGEST_AUDIO = 2**32 - 1
MOST_CHANNELS = 255

_ONE_RATE, _EVERY_RATE = 1, 2  # Format versions.
_SHORTEST = len(MAGIC) + 1 + FINGERPRINT_BYTES + 2 + 4
_AUDIO = 128


class DamagedFile(ValueError):
    """The data were once an .rtc file, but bytes are missing or changed."""


class ForeignFile(ValueError):
    """The data are not an .rtc file, of another format version, or coded by another model."""


class TooLarge(ValueError):
    """The file decodes to more than the reader allows."""


class CodedImage(NamedTuple):
    """What an image's container holds: its size in pixels and the range-coded symbols."""

    height: int
    width: int
    payload: bytes
    quality: Optional[int] = None  # in hundredths; None from a model of one rate

    marker = 0
    contents = "an image"

    def head(self) -> bytes:
        """The bytes before the payload that say what size it is for."""
        return to_varint(self.height) + to_varint(self.width)

    @classmethod
    def read(cls, body: bytes, start: int) -> CodedImage:
        """Reads what `head` gave, at ``start``, and the payload after it."""
        height, start = from_varint(body, start)
        width, start = from_varint(body, start)
        return cls(height, width, body[start:])

    def check(self) -> None:
        """Raises ValueError for a size out of range."""
        _check_range("height", self.height, LARGEST_SIDE)
        _check_range("width", self.width, LARGEST_SIDE)
        if self.height * self.width > LARGEST_IMAGE:
            raise ValueError(
                f"height={self.height}, width={self.width}: an image may have up to "
                f"{LARGEST_IMAGE} pixels."
            )


class CodedAudio(NamedTuple):
    """What a recording's container holds."""

    sample_rate: int  # Hz
    length: int  # in samples
    channels: int
    gain: int  # half-decibels by which it was raised before coding
    payload: bytes  # the range-coded symbols
    quality: Optional[int] = None  # in hundredths; None from a model of one rate

    marker = _AUDIO
    contents = "audio"

    def head(self) -> bytes:
        """The bytes before the payload that say what size it is for."""
        numbers = to_varint(self.sample_rate) + to_varint(self.length)
        return numbers + struct.pack("<Bb", self.channels, self.gain)

    @classmethod
    def read(cls, body: bytes, start: int) -> CodedAudio:
        """Reads what `head` gave, at ``start``, and the payload after it."""
        sample_rate, start = from_varint(body, start)
        length, start = from_varint(body, start, most=5)
        if len(body) < start + 2:
            raise ValueError("channels and gain are missing.")
        channels, gain = struct.unpack("<Bb", body[start : start + 2])
        return cls(sample_rate, length, channels, gain, body[start + 2 :])

    def check(self) -> None:
        """Raises ValueError for a number out of range."""
        _check_range("sample_rate", self.sample_rate, LARGEST_RATE)
        _check_range("length", self.length, LONGEST_AUDIO)
        _check_range("channels", self.channels, MOST_CHANNELS)


Coded = TypeVar("Coded", CodedImage, CodedAudio)


def pack(coded: Coded, fingerprint: bytes) -> bytes:
    """The bytes of one .rtc file.

    Args:
        coded: sizes and payload.
        fingerprint: 8 bytes that identify the model, see ``codec.fingerprint``.

    Raises:
        ValueError: the fingerprint is not 8 bytes, or what is coded is empty or too large.
    """
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise ValueError(f"fingerprint={fingerprint!r} must have {FINGERPRINT_BYTES} bytes.")
    coded.check()
    version, quality = _ONE_RATE, b""
    if coded.quality is not None:
        _check_quality(coded.quality)
        version, quality = _EVERY_RATE, to_varint(coded.quality)
    start = MAGIC + bytes([version + coded.marker]) + fingerprint
    body = start + quality + coded.head() + coded.payload
    return body + struct.pack("<I", zlib.crc32(body))


def unpack(data: bytes, fingerprint: bytes, kind: Type[Coded] = CodedImage) -> Coded:
    """Reads what `pack` wrote.

    Args:
        data: a whole file.
        fingerprint: of the model that is to decode it.
        kind: what the model codes, `CodedImage` or `CodedAudio`.

    Raises:
        ForeignFile: not an .rtc file, or of another format version, medium or model.
        DamagedFile: truncated or altered.
    """
    if not data:
        raise ForeignFile("The file is empty (0 bytes): not an .rtc file.")
    if data[: len(MAGIC)] != MAGIC:
        raise ForeignFile(f"Not an .rtc file: it starts with {data[:3]!r}, not {MAGIC!r}.")
    if len(data) < _SHORTEST:
        raise DamagedFile(f"Truncated .rtc file: {len(data)} bytes, at least {_SHORTEST} needed.")
    version = data[3] % _AUDIO
    if version not in (_ONE_RATE, _EVERY_RATE):
        raise ForeignFile(
            f"The .rtc file has format version {version}; this reads {_ONE_RATE} and {_EVERY_RATE}."
        )
    body, checksum = data[:-4], struct.unpack("<I", data[-4:])[0]
    if zlib.crc32(body) != checksum:
        raise DamagedFile("Damaged .rtc file: wrong checksum (truncated or altered).")
    if data[3] - version != kind.marker:
        held = CodedImage.contents if kind is CodedAudio else CodedAudio.contents
        raise ForeignFile(f"The .rtc file holds {held}, but the model codes {kind.contents}.")
    start = len(MAGIC) + 1
    found = body[start : start + FINGERPRINT_BYTES]
    if found != fingerprint:
        raise ForeignFile(
            f"The .rtc file was coded by another model: its fingerprint is {found.hex()}, this "
            f"model's {fingerprint.hex()}."
        )
    start += FINGERPRINT_BYTES
    quality = None
    with errors_as_damage():
        if version == _EVERY_RATE:
            quality, start = from_varint(body, start, most=2)
            _check_quality(quality)
        coded = kind.read(body, start)._replace(quality=quality)
        coded.check()
    return coded


def check_size(size: int, unit: str, most: Optional[int]) -> None:
    """Checks what a file declares against the reader's limit, which None lifts.

    Raises:
        TooLarge: the size is above the limit.
    """
    if most is not None and size > most:
        raise TooLarge(f"The .rtc file declares {size} {unit}, more than --max-size {most} allows.")


@contextlib.contextmanager
def errors_as_damage() -> Iterator[None]:
    """Turns the ValueError of content that no encoder writes into `DamagedFile`."""
    try:
        yield
    except ValueError as error:
        raise DamagedFile(f"Damaged .rtc file: {error}") from error


def _check_quality(quality: int) -> None:
    if not 0 <= quality <= HIGHEST_QUALITY:
        raise ValueError(f"quality={quality} must be 0 to {HIGHEST_QUALITY} hundredths.")


def _check_range(name: str, value: int, largest: int) -> None:
    if not 0 < value <= largest:
        raise ValueError(f"{name}={value} must be 1 to {largest}.")
