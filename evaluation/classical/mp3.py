"""MP3 of constant bit rate.

Settings 0 to 100 span the bit rates that the format has at a sample rate: 8 to 64 kbit/s below 16
kHz, 8 to 160 below 32 kHz, 32 to 320 above.

The decoder returns the samples that were coded if the file has LAME's tag, for which frames of the
lowest bit rates are too small; otherwise 1105 samples of delay are cut off here.
"""

from __future__ import annotations

import struct

import numpy as np

from evaluation.classical.sndfile_format import SndfileFormat

# 576 samples of LAME and 529 of the decoder (a polyphase filter bank, and one sample).
_DELAY = 1105

# kbit/s by index in the header of a layer III frame: ISO 11172-3, table 2.4.2.3, and 13818-3.
_BITRATES_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_MPEG1 = (44100, 48000, 32000)


class Mp3(SndfileFormat):
    """Frames of layer III, without a container but for LAME's tag."""

    def level(self, setting: int) -> float:
        """See `SndfileFormat`; LAME refuses 1."""
        return min(super().level(setting), 0.999)

    def packet_bytes(self, data: bytes) -> int:
        """Everything but the frame of LAME's tag: decoding needs the header of every frame."""
        return len(data) - tag_bytes(data)

    def aligned(self, decoded: np.ndarray, data: bytes) -> np.ndarray:
        return decoded if tag_bytes(data) else decoded[_DELAY:]


def tag_bytes(data: bytes) -> int:
    """Size of the first frame if it is LAME's tag, which tells decoders what to cut off; else 0.

    Raises:
        ValueError: the file does not begin with a frame.
    """
    (header,) = struct.unpack(">I", data[:4].ljust(4, b"\0"))
    version, bitrate = header >> 19 & 3, header >> 12 & 15  # version 3: MPEG-1, 2: -2, 0: -2.5
    rate, padding = header >> 10 & 3, header >> 9 & 1
    layer3 = header >> 21 == 0x7FF and header >> 17 & 3 == 1
    if not layer3 or version == 1 or bitrate in (0, 15) or rate == 3:
        raise ValueError(f"not an MP3 file: it starts with {data[:4]!r}.")
    bits = 1000 * (_BITRATES_MPEG1 if version == 3 else _BITRATES_MPEG2)[bitrate]
    hertz = _RATES_MPEG1[rate] // {3: 1, 2: 2, 0: 4}[version]
    size = (144 if version == 3 else 72) * bits // hertz + padding
    return size if b"Xing" in data[:size] or b"Info" in data[:size] else 0


MP3 = Mp3(
    name="MP3",
    lowest=0,
    highest=100,
    ladder=(0, 14, 29, 43, 57, 71, 86, 100),
    options={"bitrate_mode": "CONSTANT"},
    subtype="MPEG_LAYER_III",
    sample_rates=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    format="MP3",
)

CODECS = {"mp3": MP3}
