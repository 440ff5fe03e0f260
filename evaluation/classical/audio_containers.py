"""What of an Ogg or MP3 file is sound and what is container: sizes read from their headers."""

from __future__ import annotations

import struct
from typing import List, NamedTuple

_PAGE_HEADER_BYTES = 27
_LARGEST_SEGMENT = 255

_HEADER_PACKETS = {b"OpusHead": 2, b"\x01vorbis": 3}
"""How a stream begins -> packets before its sound: RFC 7845, section 3; Vorbis I, section 4.2."""

# kbit/s by index in the header of a layer III frame: ISO 11172-3, table 2.4.2.3, and 13818-3.
_BITRATES_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_MPEG1 = (44100, 48000, 32000)


class Sizes(NamedTuple):
    """Where the bytes of a file are; the sum is the file.

    Attributes:
        container: what a player needs to find and set up the sound.
        packets: the sound.
    """

    container: int
    packets: int


def ogg_sizes(data: bytes) -> Sizes:
    """Adds up the pages (RFC 3533) of a file with one Opus or Vorbis stream.

    Container are page headers and the packets before the sound: identification, comments and, of
    Vorbis, the code books.

    Raises:
        ValueError: no such file, or its last page is cut short.
    """
    packets: List[int] = [0]
    start = 0
    while start < len(data):
        if data[start : start + 4] != b"OggS" or len(data) < start + _PAGE_HEADER_BYTES:
            raise ValueError(f"not an Ogg file: no page at byte {start} of {len(data)}.")
        segments = data[start + 26]
        table = data[start + _PAGE_HEADER_BYTES : start + _PAGE_HEADER_BYTES + segments]
        start += _PAGE_HEADER_BYTES + segments + sum(table)
        for length in table:
            packets[-1] += length
            # A packet goes on, also on the next page, until a segment is not full.
            if length < _LARGEST_SEGMENT:
                packets.append(0)
    if start > len(data):
        raise ValueError(f"not a whole Ogg file: it ends {start - len(data)} bytes early.")
    first = data[_PAGE_HEADER_BYTES + data[26] :][:8] if data else b""
    headers = next((n for head, n in _HEADER_PACKETS.items() if first.startswith(head)), None)
    if headers is None:
        raise ValueError(f"neither an Opus nor a Vorbis stream: it starts with {first!r}.")
    sound = sum(packets[headers:])
    return Sizes(len(data) - sound, sound)


def mp3_sizes(data: bytes) -> Sizes:
    """Sizes of a file of layer III frames: container is the frame of LAME's tag, if there is one.

    Headers and side information stand in every frame and are needed with it: they count as sound.

    Raises:
        ValueError: the file does not begin with a frame.
    """
    if not mp3_has_tag(data):
        return Sizes(0, len(data))
    tag = _frame_bytes(data)
    return Sizes(tag, len(data) - tag)


def mp3_has_tag(data: bytes) -> bool:
    """Whether the first frame holds LAME's tag, which tells a decoder what to cut off the ends.

    Raises:
        ValueError: the file does not begin with a frame.
    """
    frame = data[: _frame_bytes(data)]
    return b"Xing" in frame or b"Info" in frame


def _frame_bytes(data):
    """Length of the frame that the data begin with."""
    (header,) = struct.unpack(">I", data[:4].ljust(4, b"\0"))
    version, bitrate = header >> 19 & 3, header >> 12 & 15  # version 3: MPEG-1, 2: -2, 0: -2.5
    rate, padding = header >> 10 & 3, header >> 9 & 1
    layer3 = header >> 21 == 0x7FF and header >> 17 & 3 == 1
    if not layer3 or version == 1 or bitrate in (0, 15) or rate == 3:
        raise ValueError(f"not an MP3 file: it starts with {data[:4]!r}.")
    bits = 1000 * (_BITRATES_MPEG1 if version == 3 else _BITRATES_MPEG2)[bitrate]
    hertz = _RATES_MPEG1[rate] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if version == 3 else 72) * bits // hertz + padding
