"""Audio: float32 samples [samples, channels] from -1 to 1, 16-bit once decoded; kbit/s."""

from __future__ import annotations

import pathlib
from typing import Any, Mapping, Optional, Sequence, Tuple

import numpy as np

from codec import AUDIO_HEADER_LIMIT, AudioCodec
from evaluation.media.medium import Medium, Row
from signals.audio_files import LOSSLESS_AUDIO, encode_audio, read_audio
from signals.files import write_atomically
from signals.loudness import loudness_gain
from signals.model_form import at_model_rate


def _audio_example(file: Any, transforms: Any) -> np.ndarray:
    """The first channel as the model is trained on it, as an image one row high."""
    samples = at_model_rate(file.samples[:, :1], file.sample_rate, transforms.sample_rate)
    return (samples * loudness_gain(samples))[np.newaxis]


def _write_recordings(path: pathlib.Path, file: Any, versions: Mapping[str, np.ndarray]):
    """Writes ``<path>.<version>.wav``, 16 bits."""
    for version, samples in versions.items():
        data = encode_audio(samples, file.sample_rate, ".wav")
        write_atomically(path.with_name(f"{path.name}.{version}.wav"), data)
    return path.parent


def _speed(rows: Sequence[Row]) -> Sequence[str]:
    seconds = sum(row["samples"] / row["sample_rate"] for row in rows)
    encode = seconds / sum(row["encode_seconds"] for row in rows)
    decode = seconds / sum(row["decode_seconds"] for row in rows)
    return [
        f"speed: {seconds:.1f} s of audio, encoded {encode:.1f} x and decoded {decode:.1f} x as "
        "fast as it plays"
    ]


def _loud(name: str, signal: Tuple) -> Optional[str]:
    peak = float(np.max(np.abs(signal[0]), initial=0.0))
    if peak <= 1:
        return None
    return (
        f"warning: {name} has samples up to {peak:.4g}, but full scale is 1. It was not "
        "scaled: what lies beyond is clipped in decoded files, and counts as an error."
    )


def _audio_cells():
    from evaluation.figures.cells import AudioCells  # Figures build on this package.

    return AudioCells()


AUDIO = Medium(
    name="audio",
    content="audio",
    files="recordings",
    unit="samples",
    dtype=np.int16,
    rate="kbps",
    rate_label="kbit/s",
    rate_definition="1000 bits per second of the file on disk, all channels together",
    rate_digits=2,
    log_rates=True,
    size_columns=("sample_rate", "samples", "channels"),
    refines=False,
    training_size="segment",
    examples=5,
    codec=AudioCodec,
    header_bytes=AUDIO_HEADER_LIMIT,
    lossless=LOSSLESS_AUDIO,
    read=read_audio,
    write=lambda decoded, suffix: encode_audio(*decoded, suffix),
    whole_files=lambda source, split: source.recordings(split),
    signal=lambda file: (file.samples, file.sample_rate),
    size=lambda signal: {
        "sample_rate": signal[1],
        "samples": signal[0].shape[0],
        "channels": signal[0].shape[1],
    },
    size_text=lambda size: (
        f"{size['samples']} samples, {size['channels']} channel{'s' * (size['channels'] != 1)}, "
        f"{size['sample_rate']} Hz"
    ),
    rate_of=lambda bits, size: bits / (size["samples"] / size["sample_rate"]) / 1000,
    comparable=lambda samples: samples.astype(np.float32) / 32768,
    training_example=_audio_example,
    classical=("Opus", "Vorbis", "MP3"),
    cells=_audio_cells,
    remarks=_speed,
    warning=_loud,
    write_example=_write_recordings,
)
