"""The figure of losses at equal lmbda: each curve's difference from the anchor, with interval."""

from __future__ import annotations

import pathlib
from typing import NamedTuple, Sequence, Tuple

import numpy as np

from evaluation.figures.style import (
    WIDTH,
    curve_style,
    draw_grid,
    legend_label,
    new_figure,
    write_figure,
)

_FONT = 8
_ROW = 0.19
"""Inches for each curve."""

_LABEL = 40
"""Characters of a curve's name, at most."""

_FAR = 3.0
"""Medians of the intervals' farthest ends at which the axis ends, on both sides.

An interval that goes on there ends in an arrow; a curve that lies beyond is written at the margin.
"""


class Difference(NamedTuple):
    """A curve's name, difference in loss, and the interval's ends, percent."""

    name: str
    percent: float
    low: float
    high: float


def write_losses(
    path: pathlib.Path, differences: Sequence[Difference], *, anchor: str, dataset: str
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the figure as PNG and SVG, the best curve on top.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        differences: the curves but the anchor, from the lowest loss on.
        anchor: its name.
        dataset: its name, for the axis.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _figure(differences, anchor, dataset), font_size=_FONT)


def _figure(differences, anchor, dataset):
    height = 0.6 + _ROW * len(differences)
    figure, add_axes = new_figure(WIDTH, height)
    names = [legend_label(_short(each.name)) for each in differences]
    left = 0.2 + max((_inches(figure, name) for name in names), default=0.0)
    axes = add_axes(left, 0.08, WIDTH - left - 0.6, height - 0.5)
    farthest = [max(abs(each.low), abs(each.high)) for each in differences]
    end = _FAR * float(np.median(farthest)) if farthest else 1.0
    shown = [each for each in differences if abs(each.percent) <= end]
    low = min([0.0, *(max(each.low, -end) for each in shown)])
    high = max([0.0, *(min(each.high, end) for each in shown)])
    margin = 0.04 * max(high - low, 1e-9)
    axes.set_xlim(low - margin, high + margin)
    axes.axvline(0, color="black", lw=1)
    places = np.arange(len(differences))[::-1]
    color = curve_style(0)["color"]
    for each, place in zip(differences, places):
        if each in shown:
            ends = np.clip([each.low, each.high], -end, end)
            axes.plot(ends, [place, place], color=color, lw=2)
            axes.plot(each.percent, place, color=color, marker="o", markersize=4)
            for at, whole, marker in zip(ends, (each.low, each.high), "<>"):
                if at != whole:
                    axes.plot(at, place, color=color, marker=marker, markersize=6)
        else:
            axes.annotate(
                f"{each.percent:+.0f} %", (1, place), (4, 0), va="center", fontsize=_FONT,
                xycoords=("axes fraction", "data"), textcoords="offset points",
            )  # fmt: skip
    axes.set_ylim(-0.6, len(differences) - 0.4)
    axes.set_yticks(places, names)
    axes.set_xlabel(f"loss beside {anchor:.24} (%), {dataset:.24}")
    draw_grid(axes)
    return figure


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"


def _inches(figure, text: str) -> float:
    """The width of a label."""
    drawn = figure.text(0, 0, text)
    width = drawn.get_window_extent().width / figure.dpi
    drawn.remove()
    return width
