"""Opus; settings are kbit/s per channel, of variable bit rate."""

from evaluation.classical.ogg import OggFormat

OPUS = OggFormat(
    name="Opus",
    lowest=6,
    highest=256,
    ladder=(6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64),
    options={},
    subtype="OPUS",
    sample_rates=(8000, 12000, 16000, 24000, 48000),
)

CODECS = {"opus": OPUS}
