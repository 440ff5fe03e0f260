"""Vorbis; settings are hundredths of its quality, 0 to 1."""

from evaluation.classical.ogg import OggFormat

VORBIS = OggFormat(
    name="Vorbis",
    lowest=0,
    highest=100,
    ladder=(0, 10, 20, 30, 40, 50, 60, 80, 100),
    options={},
    subtype="VORBIS",
    sample_rates=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000),
)

CODECS = {"vorbis": VORBIS}
