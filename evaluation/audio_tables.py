"""The comparison of sound codecs as plain text, for a terminal and for readers new to the field."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

import numpy as np

from evaluation.audio_measure import AudioFileRow
from evaluation.media import AUDIO
from evaluation.metrics.audio import has_pesq
from evaluation.tables import shortened

_NAME_WIDTH = 24
_COLUMNS_WIDTH = 34  # "kbps SI-SDR log-mel PESQ STOI" of one codec

_LEGEND = """\
kbps: 1000 bits a second of the file on disk, all channels together.
SI-SDR (dB) compares waveforms: higher is closer. log-mel (dB) compares spectrograms: lower is
closer. PESQ (1 to 4.5; nb: up to 4 kHz, wb: up to 8 kHz) and STOI (up to 1) rate speech: higher is
better."""

_CLASSICAL_LEGEND = """\
The other codecs have, of each file, the setting whose packets of sound alone come nearest to our
whole file: kbps is of these packets, "file" with the container around them."""


def audio_table(
    name: str,
    rows: Sequence[AudioFileRow],
    classical: Dict[str, Sequence[Any]],
) -> str:
    """A line a file, the learned codec beside the first classical one; then the means of all.

    Args:
        name: the learned codec.
        rows: its measured files.
        classical: codec name -> its match for each row, in the order of `rows`.

    Returns:
        Text of at most 100 columns, without a newline at the end.

    Raises:
        ValueError: a list of matches is not as long as `rows`.
    """
    for codec, matches in classical.items():
        if len(matches) != len(rows):
            raise ValueError(
                f"classical['{codec}'] must have one match a row ({len(rows)}), got {len(matches)}"
            )
    columns = [rows, *list(classical.values())[:1]]
    titles = [name, *(f"{codec}, nearest rate" for codec in list(classical)[:1])]
    rule = "-" * (_NAME_WIDTH + len(columns) * (_COLUMNS_WIDTH + 2))
    heading = f"  {'kbps':>7}{'SI-SDR':>7}{'log-mel':>8}{'PESQ':>6}{'STOI':>6}"
    titles = [shortened(title, _COLUMNS_WIDTH) for title in titles]
    mean_of = f"mean of {len(rows)} file{'s' * (len(rows) != 1)}"
    lines = [
        " " * _NAME_WIDTH + "".join(f"  {title:^{_COLUMNS_WIDTH}}" for title in titles),
        f"{'file':<{_NAME_WIDTH}}" + len(columns) * heading,
        rule,
    ]
    for row, *others in zip(*columns):
        numbers = "".join(f"  {_rate_and_quality(item)}" for item in (row, *others))
        lines.append(f"{shortened(row.file, _NAME_WIDTH):<{_NAME_WIDTH}}{numbers}")
    lines += [
        rule,
        "",
        f"{mean_of:<{_NAME_WIDTH}}  {'kbps':>7}"
        f"{'file':>8}{'SI-SDR':>8}{'log-mel':>9}{'PESQ nb':>9}{'PESQ wb':>9}{'STOI':>7}",
        _mean_line(name, rows, "kbps"),
        *(_mean_line(codec, matches, "kbps_file") for codec, matches in classical.items()),
        "",
        _LEGEND,
        *([_CLASSICAL_LEGEND] if classical else []),
        *_remarks(rows, classical),
    ]
    return "\n".join(lines)


def audio_gap_table(rows: Sequence[AudioFileRow]) -> str:
    """What training counted on and what came of it, means over the files; and the coding speed.

    Args:
        rows: measured files.

    Returns:
        Four lines, or five where symbols have a fixed length code, without a newline at the end.
    """

    def mean(quantity):
        return AUDIO.mean(quantity, rows)

    rates = [mean(quantity) for quantity in ("kbps-training", "kbps-rounded", "kbps")]
    quality = mean("si-sdr-training"), mean("si-sdr")
    lines = [
        f"{'train-test gap':<{_NAME_WIDTH}}{'training value':>16}{'rounded':>12}{'coded':>12}",
        f"{'rate (kbps)':<{_NAME_WIDTH}}{rates[0]:>16.3f}{rates[1]:>12.3f}{rates[2]:>12.3f}",
        f"{'SI-SDR (dB)':<{_NAME_WIDTH}}{quality[0]:>16.2f}{quality[1]:>12.2f}{quality[1]:>12.2f}",
    ]
    fixed = mean("kbps-fixed-length")
    if not np.isnan(fixed):
        lines.append(f"{'fixed length (kbps)':<{_NAME_WIDTH}}{'':>16}{'':>12}{fixed:>12.3f}")
    seconds = sum(row.seconds for row in rows)
    encode = seconds / sum(row.encode_seconds for row in rows)
    decode = seconds / sum(row.decode_seconds for row in rows)
    lines.append(
        f"speed: {seconds:.1f} s of sound, encoded {encode:.1f} x and decoded {decode:.1f} x as "
        "fast as it plays"
    )
    return "\n".join(lines)


def _rate_and_quality(item: Any) -> str:
    return (
        f"{item.kbps:>7.2f}{_number(item.si_sdr, 7, 2)}{_number(item.log_mel, 8, 2)}"
        f"{_number(item.pesq_nb, 6, 2)}{_number(item.stoi, 6, 3)}"
    )


def _mean_line(name: str, items: Sequence[Any], file_rate: str) -> str:
    def mean(quantity):
        return AUDIO.mean(quantity, items)

    whole = float(np.mean([getattr(item, file_rate) for item in items]))
    return (
        f"{shortened(name, _NAME_WIDTH):<{_NAME_WIDTH}}  {mean('kbps'):>7.2f}{whole:>8.2f}"
        f"{_number(mean('si-sdr'), 8, 2)}{_number(mean('log-mel'), 9, 2)}"
        f"{_number(mean('pesq-nb'), 9, 2)}{_number(mean('pesq-wb'), 9, 2)}"
        f"{_number(mean('stoi'), 7, 3)}"
    )


def _remarks(rows, classical) -> List[str]:
    lines = []
    if not has_pesq():
        lines.append(
            "PESQ: the package pesq is not installed (pip install 'roundtrip[pesq]'; it needs a C "
            "compiler)."
        )
    for quantity, attribute, why in (
        ("SI-SDR", "si_sdr", "silent"),
        ("PESQ nb", "pesq_nb", "no speech, shorter than 0.25 s or below 8 kHz"),
        ("STOI", "stoi", "less than 0.4 s of sound"),
    ):
        missing = sum(np.isnan(getattr(row, attribute)) for row in rows)
        if missing and (attribute != "pesq_nb" or has_pesq()):
            lines.append(f"{quantity}: no number for {missing} of {len(rows)} files ({why}).")
    for codec, matches in classical.items():
        far = sum(abs(match.kbps / row.kbps - 1) > 0.1 for match, row in zip(matches, rows))
        if far:
            lines.append(
                f"{codec} has no setting within 10 % of the rate of {far} of {len(rows)} files: "
                "compare its kbps too."
            )
    return lines


def _number(value: float, width: int, digits: int) -> str:
    return f"{'-' if np.isnan(value) else f'{value:.{digits}f}':>{width}}"
