"""Files that no encoder wrote: changes of a coded file, from a flipped bit to a chosen payload."""

from __future__ import annotations

import random
import struct
import zlib
from typing import Callable, List, NamedTuple, Sequence

from codec.container import FINGERPRINT_BYTES, MAGIC, CodedAudio, CodedImage, pack
from codec.varint import to_varint

NUMBERS = (0, 1, 2, 3, 17, 64, 127, 255, 256, 4095, 16384, 65535, 2**20 - 1, 2**20, 2**24 - 1)
NUMBERS += (2**24, 2**28 - 1, 2**28, 2**30, 2**32 - 1, 2**32)
"""Values at and around the limits of sizes, rates and counts."""


_NO_SIZES = ("payload", "quality")


class Original(NamedTuple):
    """A file that an encoder wrote.

    Attributes:
        data: the file.
        coded: what its container holds.
        escapes: cumulative counts, of 2**16, at which escape symbols of its tables begin.
    """

    data: bytes
    coded: CodedImage | CodedAudio
    escapes: Sequence[int]


def mutant(original: Original, rng: random.Random) -> bytes:
    """A changed file; half of them with a checksum that fits."""
    data = rng.choice(_CHANGES)(original, rng)
    while rng.random() < 0.3:
        data = _change_bytes(original._replace(data=data), rng)
    return with_checksum(data) if rng.random() < 0.5 else data


def with_checksum(data: bytes) -> bytes:
    """The file with the CRC-32 of its content in place of its last 4 bytes."""
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4]))


def _change_bytes(original: Original, rng: random.Random) -> bytes:
    data = bytearray(original.data)
    place, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 4, 9, 50))
    kind = rng.choice(("flip", "burst", "fill", "cut", "insert", "end"))
    if kind == "flip" and place < len(data):
        data[place] ^= 1 << rng.randrange(8)
    elif kind == "burst":
        data[place : place + size] = rng.randbytes(size)
    elif kind == "fill":
        data[place : place + size] = rng.choice((b"\0", b"\xff", b"\x80")) * size
    elif kind == "cut":
        del data[place : place + size]
    elif kind == "insert":
        data[place:place] = rng.randbytes(size)
    else:
        del data[place:]
    return bytes(data)


def _change_sizes(original: Original, rng: random.Random) -> bytes:
    """Other numbers in the header, of which no two need to go together."""
    coded = original.coded
    sizes = [n for n in coded._fields if n != "payload" and getattr(coded, n) is not None]
    for name in rng.sample(sizes, rng.choice((1, 1, 2))):
        near = getattr(coded, name) + rng.choice((-16, -1, 1, 16))
        coded = coded._replace(**{name: rng.choice((near, *NUMBERS))})
    return _packed(original, coded)


def _change_payload(original: Original, rng: random.Random) -> bytes:
    """The same sizes, or small ones, with a payload that is chosen."""
    coded = original.coded
    make = rng.choice((_random_bytes, _one_byte_repeated, _escape, _lengths))
    payload = make(original, rng)
    if rng.random() < 0.5:
        keep = rng.randrange(len(coded.payload) + 1)
        payload = coded.payload[:keep] + payload
    coded = coded._replace(payload=payload)
    if rng.random() < 0.3:
        size = rng.choice((1, 16, 100))
        coded = coded._replace(**dict.fromkeys(coded._fields[:2], size))
    return _packed(original, coded)


def _random_bytes(original: Original, rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 2, 5, 40, 400)))


def _one_byte_repeated(original: Original, rng: random.Random) -> bytes:
    return rng.choice((b"\0", b"\xff", b"\x80", b"\x55")) * rng.choice((1, 2, 7, 400, 70_000))


def _escape(original: Original, rng: random.Random) -> bytes:
    """An escape with many zeros in its Elias gamma code, or with nothing but zeros."""
    start = rng.choice(original.escapes or (0,)) << 16
    above = rng.choice((0, 0, 1 << rng.randrange(17), rng.randrange(2**16)))
    tail = rng.choice((b"", b"\0" * rng.randrange(200) + b"\1", rng.randbytes(20)))
    return (start + above).to_bytes(5, "big")[1:] + tail


def _lengths(original: Original, rng: random.Random) -> bytes:
    """A count of bytes, as of side information and of blocks, before what is there."""
    return to_varint(rng.choice(NUMBERS)) + original.coded.payload


def _packed(original: Original, coded: CodedImage | CodedAudio) -> bytes:
    try:
        start = len(MAGIC) + 1
        return pack(coded, original.data[start : start + FINGERPRINT_BYTES])
    except (ValueError, struct.error):  # Out of the format's range, which a file may be, too.
        start = len(MAGIC) + 1 + FINGERPRINT_BYTES
        sizes = [getattr(coded, name) for name in coded._fields if name not in _NO_SIZES]
        numbers = [each for each in (coded.quality, *sizes) if each is not None]
        head = b"".join(to_varint(max(0, number)) for number in numbers)
        return with_checksum(original.data[:start] + head + coded.payload + bytes(4))


_CHANGES: List[Callable[[Original, random.Random], bytes]] = [
    _change_bytes,
    _change_sizes,
    _change_payload,
]
