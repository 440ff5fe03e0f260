"""The figure of losses at equal lmbda: each curve's difference from the anchor, with interval.

Panels side by side show what several comparisons found of the same curves.
"""

from __future__ import annotations

import itertools
import pathlib
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

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

_MARGIN = 0.5
"""Inches to the right of a panel, where curves that lie beyond it are written."""

_LABEL = 40
"""Most characters of a curve's name."""

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
    path: pathlib.Path, panels: Mapping[str, Sequence[Difference]], *, anchor: str
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the figure as PNG and SVG, the first panel's best curve on top.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        panels: title, as a dataset's name -> the curves but the anchor, from the lowest loss on.
        anchor: its name.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _figure(panels, anchor), font_size=_FONT)


def _figure(panels, anchor):
    names = _rows(panels.values())
    height = 0.8 + _ROW * len(names)
    figure, add_axes = new_figure(WIDTH, height)
    labels = [legend_label(_short(name)) for name in names]
    left = 0.2 + max((_inches(figure, label) for label in labels), default=0.0)
    width = (WIDTH - left - 0.05) / len(panels)
    low, high, end = _limits(list(itertools.chain.from_iterable(panels.values())))
    for number, (title, differences) in enumerate(panels.items()):
        axes = add_axes(left + number * width, 0.28, width - _MARGIN, height - 0.7)
        _draw(axes, {each.name: each for each in differences}, names, end)
        axes.set_xlim(low, high)
        axes.set_title(title, fontsize=_FONT)
        axes.set_yticks(np.arange(len(names))[::-1], labels if number == 0 else [])
        draw_grid(axes)
        axes.tick_params(axis="y", length=0)
    middle = (left + WIDTH - 0.05 - _MARGIN) / 2 / WIDTH
    figure.text(middle, 0.05 / height, f"loss beside {anchor:.24} (%)", ha="center")
    return figure


def _rows(panels) -> List[str]:
    """The names of all panels, in the order of the first that has them."""
    return list(dict.fromkeys(each.name for differences in panels for each in differences))


def _limits(differences: Sequence[Difference]) -> Tuple[float, float, float]:
    """The ends of all axes, and how far from 0 a curve or an interval may be drawn."""
    farthest = [max(abs(each.low), abs(each.high)) for each in differences]
    end = _FAR * float(np.median(farthest)) if farthest else 1.0
    shown = [each for each in differences if abs(each.percent) <= end]
    low = min([0.0, *(max(each.low, -end) for each in shown)])
    high = max([0.0, *(min(each.high, end) for each in shown)])
    margin = 0.04 * max(high - low, 1e-9)
    return low - margin, high + margin, end


def _draw(axes, differences: Dict[str, Difference], names: Sequence[str], end: float) -> None:
    """One panel; a curve that it lacks has an empty row."""
    axes.axvline(0, color="black", lw=1)
    color = curve_style(0)["color"]
    for place, name in zip(range(len(names))[::-1], names):
        each = differences.get(name)
        if each is not None and abs(each.percent) <= end:
            ends = np.clip([each.low, each.high], -end, end)
            axes.plot(ends, [place, place], color=color, lw=2)
            axes.plot(each.percent, place, color=color, marker="o", markersize=4)
            for at, whole, marker in zip(ends, (each.low, each.high), "<>"):
                if at != whole:
                    axes.plot(at, place, color=color, marker=marker, markersize=6)
        elif each is not None:
            axes.annotate(
                f"{each.percent:+.0f} %", (1, place), (4, 0), va="center", fontsize=_FONT,
                xycoords=("axes fraction", "data"), textcoords="offset points",
            )  # fmt: skip
    axes.set_ylim(-0.6, len(names) - 0.4)


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"


def _inches(figure, text: str) -> float:
    """The width of a label."""
    drawn = figure.text(0, 0, text)
    width = drawn.get_window_extent().width / figure.dpi
    drawn.remove()
    return width
