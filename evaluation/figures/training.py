"""Training curves: loss, rate and quality over the steps, with annealed values."""

from __future__ import annotations

import csv
import math
import pathlib
from typing import Dict, Mapping, Sequence, Tuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from evaluation.figures.style import (
    WIDTH,
    curve_style,
    draw_grid,
    legend_label,
    new_figure,
    write_figure,
)

_NOT_ANNEALED = (
    "step", "loss", "bpp", "kbps", "distortion", "mse", "penalty", "psnr", "snr",
    "images_per_second", "segments_per_second", "data_wait_share",
)  # fmt: skip
_FONT = 8
_MARGIN = 0.008
"""Of the figure's width, left of everything."""

_FEWEST_TICKS = 4
_ROUND = ((1,), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8))
"""Round numbers of a decade, from few to many."""

Log = Mapping[str, np.ndarray]
"""Column of a training.csv -> float64 [lines]."""


def read_log(path: pathlib.Path) -> Log:
    """Reads a run's training.csv.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it has no lines, or an entry is not a number.
    """
    with pathlib.Path(path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{path} has no lines yet: the run has not logged a step.")
    try:
        return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a training log: {error}") from error


def annealed_columns(log: Log) -> Tuple[str, ...]:
    """Names of values that followed a schedule, such as ``alpha``; constants are left out."""
    return tuple(name for name in log if name not in _NOT_ANNEALED and np.ptp(log[name]) > 0)


def write_training_curves(
    path: pathlib.Path, logs: Mapping[str, Log]
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes loss, rate and quality over the steps as PNG and SVG.

    Annealed values are drawn over the loss: dotted, in the run's colour, on their own axis.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        logs: name of a run -> its log, all of one medium; at least one.

    Returns:
        The two paths.

    Raises:
        ValueError: some are of images and some of audio.
    """
    rates = {"kbps" if "kbps" in log else "bpp" for log in logs.values()}
    if len(rates) > 1:
        raise ValueError("logs must be all of images or all of audio.")
    return write_figure(path, lambda: _curves(logs, rates.pop()), font_size=_FONT)


def _curves(logs: Mapping[str, Log], rate: str) -> Figure:
    quality = ("snr", "SNR (dB)") if rate == "kbps" else ("psnr", "PSNR (dB)")
    rate_label = "rate (kbit/s)" if rate == "kbps" else "rate (bits per pixel)"
    panels: Sequence[Tuple[str, str]] = [(rate, rate_label), quality, ("loss", "loss")]
    columns = 3 if max(map(len, logs)) <= 26 else 2
    rows = -(-len(logs) // columns)
    height = 2.6 + 0.15 * rows
    figure, _ = new_figure(WIDTH, height)
    box = {"left": 0.08, "right": 0.92, "top": 0.97, "bottom": (0.45 + 0.15 * rows) / height}
    figure.subplots_adjust(**box, wspace=0.42)
    every = figure.subplots(1, 3)
    for axes, (column, label) in zip(every, panels):
        for number, log in enumerate(logs.values()):
            if column in log:
                style = curve_style(number)
                if len(log["step"]) > 1:  # One point has no line.
                    style["marker"] = ""
                axes.plot(log["step"], log[column], **style)
        axes.set_xlabel("step")
        axes.set_ylabel(label)
        draw_grid(axes)
        axes.xaxis.set_major_locator(MaxNLocator(4))
    losses = np.concatenate([log["loss"] for log in logs.values()])
    if losses.min() > 0 and losses.max() > 3 * losses.min():
        every[2].set_yscale("log")
        every[2].yaxis.set_major_locator(FixedLocator(_round_numbers(*every[2].get_ylim())))
        every[2].yaxis.set_minor_locator(NullLocator())
        every[2].yaxis.set_major_formatter("{x:g}")
    _overlay_annealed(every[2], logs)
    # Rates that hardly differ have long numbers, which would move the label out of the figure.
    beyond = _MARGIN - every[0].get_tightbbox().x0 / figure.bbox.width
    if beyond > 0:
        figure.subplots_adjust(left=box["left"] + beyond)
    figure.legend(
        [every[0].lines[number] for number in range(len(logs))],
        list(map(legend_label, logs)),
        loc="lower center",
        ncols=min(columns, len(logs)),
        frameon=False,
        fontsize=_FONT - 0.5,
        borderaxespad=0.2,
    )
    return figure


def _round_numbers(low: float, high: float) -> Sequence[float]:
    """Ticks of a logarithmic axis, enough of them even on less than a decade."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    for digits in _ROUND:
        ticks = [digit * 10.0**decade for decade in decades for digit in digits]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= _FEWEST_TICKS:
            break
    return inside


def _overlay_annealed(axes, logs: Mapping[str, Log]) -> None:
    """Draws annealed values on a right-hand axis, a schedule that runs share only once."""
    names: Dict[str, None] = {}
    drawn, right = set(), None
    for number, log in enumerate(logs.values()):
        for column in annealed_columns(log):
            names.setdefault(column)
            line = (column, log["step"].tobytes(), log[column].tobytes())
            if line in drawn:
                continue
            drawn.add(line)
            right = right or axes.twinx()
            colour = curve_style(number)["color"]
            right.plot(log["step"], log[column], color=colour, lw=0.9, ls=(0, (1, 1)))
    if right is not None:
        right.set_ylabel(f"{', '.join(names)} (dotted)")
        right.spines["top"].set_visible(False)
        right.yaxis.set_major_locator(MaxNLocator(5))
