"""The comparison as plain text, for a terminal and for readers who are new to the field."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

import numpy as np

from evaluation.measure import FileRow

_NAME_WIDTH = 24
_NUMBERS_WIDTH = 22  # "  bpp   PSNR  MS-SSIM" of one codec

_LEGEND = """\
bpp: bits per pixel of the file on disk (the uncompressed picture has 24); lower is smaller.
PSNR (in dB) and MS-SSIM (up to 1): how close the decoded picture is to the original; higher is
closer."""


def comparison_table(
    name: str, rows: Sequence[FileRow], classical: Dict[str, Sequence[Any]]
) -> str:
    """One line a file and the mean, the learned codec beside classical ones at the nearest rate.

    Args:
        name: The learned codec.
        rows: Its measured files.
        classical: Codec name -> its match for each row, in the order of `rows`; two codecs fit.

    Returns:
        Text of at most 100 columns, without a newline at the end.

    Raises:
        ValueError: A list of matches is not as long as `rows`.
    """
    for codec, matches in classical.items():
        if len(matches) != len(rows):
            raise ValueError(
                f"classical['{codec}'] must have one match a row ({len(rows)}), got {len(matches)}"
            )
    columns: List[Sequence] = [rows, *classical.values()]
    titles = [name, *(f"{codec}, nearest size" for codec in classical)]
    rule = "-" * (_NAME_WIDTH + (_NUMBERS_WIDTH + 2) * len(columns))
    lines = [
        " " * _NAME_WIDTH + "".join(f"  {shortened(title):^{_NUMBERS_WIDTH}}" for title in titles),
        f"{'file':<{_NAME_WIDTH}}" + f"  {'bpp':>6}{'PSNR':>8}{'MS-SSIM':>8}" * len(columns),
        rule,
    ]
    for index, row in enumerate(rows):
        lines.append(_line(row.file, [_quality(column[index]) for column in columns]))
    means = [np.mean([_quality(item) for item in column], axis=0) for column in columns]
    lines += [rule, _line("mean", means), "", _LEGEND]
    if classical:
        lines.append(f"{', '.join(classical)}: of each the file that comes nearest in size.")
    for codec, matches in classical.items():
        far = sum(abs(match.bpp / row.bpp - 1) > 0.1 for match, row in zip(matches, rows))
        if far:
            lines.append(
                f"{codec} has no setting within 10 % of the size in {far} of {len(rows)} files: "
                "compare its bpp too."
            )
    return "\n".join(lines)


def gap_table(rows: Sequence[FileRow]) -> str:
    """What training counted on and what came of it: rate and distortion, means over the files.

    The difference between the first two columns is the train-test gap of the quantizer.

    Args:
        rows: Measured files.

    Returns:
        Three lines, and one each where symbols have a fixed length code and where there is side
        information; without a newline at the end.
    """

    def mean(column):
        return np.mean([getattr(row, column) for row in rows])

    rates = [mean(column) for column in ("bpp_training", "bpp_rounded", "bpp")]
    quality = mean("psnr_training"), mean("psnr")
    lines = [
        f"{'train-test gap':<{_NAME_WIDTH}}{'training value':>16}{'rounded':>12}{'coded':>12}",
        f"{'rate (bpp)':<{_NAME_WIDTH}}{rates[0]:>16.4f}{rates[1]:>12.4f}{rates[2]:>12.4f}",
        f"{'PSNR (dB)':<{_NAME_WIDTH}}{quality[0]:>16.2f}{quality[1]:>12.2f}{quality[1]:>12.2f}",
    ]
    fixed = mean("bpp_fixed_length")
    if not np.isnan(fixed):
        lines.append(f"{'fixed length (bpp)':<{_NAME_WIDTH}}{'':>16}{'':>12}{fixed:>12.4f}")
    side = mean("bpp_side")
    if side > 0:
        share = f"{side / rates[1]:.1%} of the rounded bits"
        lines.append(f"{'side information (bpp)':<{_NAME_WIDTH}}{'':>16}{side:>12.4f}  {share}")
    return "\n".join(lines)


def _quality(item):
    return item.bpp, item.psnr, item.ms_ssim


def _line(name, triples):
    numbers = "".join(
        f"  {bpp:>6.3f}{psnr:>8.2f}{_similarity(ms_ssim):>8}" for bpp, psnr, ms_ssim in triples
    )
    return f"{shortened(name, _NAME_WIDTH):<{_NAME_WIDTH}}{numbers}"


def _similarity(value):
    return "-" if np.isnan(value) else f"{value:.4f}"


def shortened(text: str, width: int = _NUMBERS_WIDTH) -> str:
    """Shortens in the middle: names of one folder differ at their ends."""
    if len(text) <= width:
        return text
    keep = width - 3
    return f"{text[: keep // 2]}...{text[len(text) - (keep - keep // 2) :]}"
