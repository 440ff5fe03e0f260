"""Codecs in an Ogg container, which is left out of the packets' size.

Decoders return as many samples as were coded, aligned with the original (Opus at low rates to
within 0.1 ms, by the design of its speech mode).
"""

from __future__ import annotations

from typing import List

from evaluation.classical.sndfile_format import SndfileFormat

_PAGE_HEADER_BYTES = 27
_LARGEST_SEGMENT = 255

_HEADER_PACKETS = {b"OpusHead": 2, b"\x01vorbis": 3}
"""Start of a stream -> packets before the audio: RFC 7845, section 3; Vorbis I, section 4.2."""


class OggFormat(SndfileFormat):
    """An audio format in an Ogg container."""

    def packet_bytes(self, data: bytes) -> int:
        return ogg_packet_bytes(data)


def ogg_packet_bytes(data: bytes) -> int:
    """Size of the audio packets in a file with one Opus or Vorbis stream.

    Its pages (RFC 3533) are added up without their headers and without the packets before the
    audio: identification, comments and the code books of Vorbis.

    Raises:
        ValueError: the file is something else, or its last page is truncated.
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
            # A packet continues, even on the next page, until a segment is not full.
            if length < _LARGEST_SEGMENT:
                packets.append(0)
    if start > len(data):
        raise ValueError(f"not a whole Ogg file: it ends {start - len(data)} bytes early.")
    first = data[_PAGE_HEADER_BYTES + data[26] :][:8] if data else b""
    headers = next((n for head, n in _HEADER_PACKETS.items() if first.startswith(head)), None)
    if headers is None:
        raise ValueError(f"neither an Opus nor a Vorbis stream: it starts with {first!r}.")
    return sum(packets[headers:])
