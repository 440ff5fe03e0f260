"""The figure of a comparison: rate-distortion curves, and the rate that each saves."""

from __future__ import annotations

import pathlib
from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np
from matplotlib.ticker import MaxNLocator
from scipy.interpolate import PchipInterpolator

from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import seed_band
from evaluation.figures.style import (
    WIDTH,
    curve_style,
    draw_grid,
    legend_label,
    new_figure,
    write_figure,
)

_ANCHOR = {"color": "black", "lw": 1.6, "ls": (0, (6, 2)), "marker": "", "zorder": 4}

# Inches.
_PANEL_HEIGHT = 2.9
_LEGEND_ROW = 0.15
_LEGEND_COLUMNS = 3
_FONT = 8

_MAGNIFIED = 0.16
"""Share of the panel's width and height that its inset shows."""

_INSET_SIZES = ((0.48, 0.44), (0.4, 0.36), (0.32, 0.3))
"""Width and height that an inset may have, as shares of the panel's."""

_INSET_GAP = 0.03


class Compared(NamedTuple):
    """A curve beside the anchor.

    Attributes:
        curve: the curve.
        difference: from the anchor's rate, percent, at each quality of the grid, or NaN.
        band: lower and upper end of its interval, [2, grid], if there is one.
    """

    curve: Curve
    difference: np.ndarray
    band: Optional[np.ndarray]


def write_comparison(
    path: pathlib.Path,
    anchor: Curve,
    rows: Sequence[Compared],
    grid: np.ndarray,
    *,
    dataset: str,
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes curves (left) and differences in rate at equal quality (right) as PNG and SVG.

    Bands on the left span the training seeds. Those on the right are the intervals over images and
    seeds, paired with the anchor; on the left they would show how images differ from each other,
    which says nothing about the codecs.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        anchor: drawn black and dashed, and as the line at 0.
        rows: the other curves, in the order of the legend.
        grid: qualities in dB of the differences.
        dataset: its name, for the axis.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _comparison(anchor, rows, grid, dataset), font_size=_FONT)


def _comparison(anchor, rows, grid, dataset):
    legend_rows = -(-(len(rows) + 1) // _LEGEND_COLUMNS)
    legend_height = _LEGEND_ROW * legend_rows
    height = _PANEL_HEIGHT + 0.5 + legend_height
    figure, _ = new_figure(WIDTH, height)
    bottom, top = (legend_height + 0.42) / height, 1 - 0.08 / height
    box = {"left": 0.55 / WIDTH, "right": 1 - 0.16 / WIDTH, "bottom": bottom, "top": top}
    curves, differences = figure.subplots(1, 2, gridspec_kw={**box, "wspace": 0.27})
    _draw_curve(curves, anchor, _ANCHOR)
    _shade_seeds(curves, anchor, "black")
    differences.axhline(0, **_ANCHOR)
    for number, row in enumerate(rows):
        style = curve_style(number)
        _draw_curve(curves, row.curve, style)
        _shade_seeds(curves, row.curve, style["color"])
        differences.plot(grid, row.difference, **{**style, "marker": ""})
        _mark_points(differences, row, grid, style)
        if row.band is not None:
            # Many overlap: lines mark their ends, because shades add up.
            differences.fill_between(grid, *row.band, color=style["color"], alpha=0.06, lw=0)
            for end in row.band:
                differences.plot(grid, end, color=style["color"], lw=0.5, alpha=0.6)
    _limit_rates(curves, anchor, rows)
    _magnify(curves, anchor, rows)
    curves.set_xlabel(f"rate ({anchor.metric.medium.rate_label}), mean over {dataset}")
    curves.set_ylabel(anchor.metric.axis)
    differences.set_xlabel(anchor.metric.axis)
    differences.set_ylabel(f"rate at equal {anchor.metric.label}, beside {anchor.name:.24} (%)")
    for axes in (curves, differences):
        draw_grid(axes)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    figure.legend(
        *curves.get_legend_handles_labels(),
        loc="lower center",
        bbox_to_anchor=(0.5, 0.02 / height),
        ncols=min(_LEGEND_COLUMNS, len(rows) + 1),
        frameon=False,
        handlelength=2.6,
        fontsize=_FONT - 0.5,
        labelspacing=0.3,
        borderaxespad=0,
    )
    return figure


def _draw_curve(axes, curve, style):
    """Points, joined as BD-rate joins them: by PCHIP over the log rate."""
    line = curve.line
    axes.plot(
        10**line.log_rates,
        line.quality,
        label=legend_label(curve.name),
        markevery=line.points,
        **style,
    )


def _magnify(axes, anchor, rows):
    """An inset of the anchor's middle, where curves are closest; none if it would hide a curve."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    log_rates = np.log10(anchor.rates)
    centre = log_rates.mean()
    quality = float(PchipInterpolator(log_rates, anchor.quality)(centre))
    width, height = _MAGNIFIED * (right - left), _MAGNIFIED * (high - low)
    window = [10**centre - width / 2, quality - height / 2, width, height]
    drawn = [_places(axes, each) for each in (anchor, *(row.curve for row in rows))]
    # What the inset shows is occupied too: a frame marks it.
    x, y = (window[0] - left) / (right - left), (window[1] - low) / (high - low)
    ends = [(x + i * _MAGNIFIED, y + j * _MAGNIFIED) for i in (0, 1) for j in (0, 1)]
    place = _empty_place(np.concatenate([*drawn, ends]))
    if place is None:
        return
    lens = axes.inset_axes(place)
    _draw_curve(lens, anchor, _ANCHOR)
    for number, row in enumerate(rows):
        _draw_curve(lens, row.curve, curve_style(number))
    lens.set_xlim(window[0], window[0] + width)
    lens.set_ylim(window[1], window[1] + height)
    lens.set_xticks([])
    lens.set_yticks([])
    axes.indicate_inset_zoom(lens, edgecolor="0.4", lw=0.6)


def _places(axes, curve):
    """Where a curve and the band of its seeds are, [points, 2], in shares of the axes."""
    line = curve.line
    at = np.linspace(line.log_rates[0], line.log_rates[-1], 400)
    sides = [np.interp(at, line.log_rates, line.quality)]
    band = seed_band(curve, at)
    sides += [] if band is None else list(band)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    x = (10**at - left) / (right - left)
    return np.concatenate([np.stack([x, (y - low) / (high - low)], axis=1) for y in sides])


def _empty_place(points):
    """Left, bottom, width and height of an inset that covers none of the points, or None."""
    for width, height in _INSET_SIZES:
        for left in (1.0 - _INSET_GAP - width, _INSET_GAP):
            for bottom in (_INSET_GAP, 1.0 - _INSET_GAP - height):
                low = np.array([left, bottom]) - _INSET_GAP
                high = np.array([left + width, bottom + height]) + _INSET_GAP
                if not ((points > low) & (points < high)).all(axis=1).any():
                    return [left, bottom, width, height]
    return None


def _shade_seeds(axes, curve, colour):
    log_rates = np.linspace(np.log10(curve.rates[0]), np.log10(curve.rates[-1]), 200)
    band = seed_band(curve, log_rates)
    if band is not None:
        axes.fill_between(10**log_rates, *band, color=colour, alpha=0.25, lw=0)


def _mark_points(axes, row, grid, style):
    """Marks the measured points; between them the difference is interpolated."""
    known = np.isfinite(row.difference)
    quality = row.curve.quality
    if not known.any():
        return
    inside = (quality >= grid[known][0]) & (quality <= grid[known][-1])
    at = np.interp(quality[inside], grid[known], row.difference[known])
    axes.plot(quality[inside], at, **{**style, "ls": ""})


def _limit_rates(axes, anchor, rows):
    """Keeps one curve of much higher rates from squeezing all others."""
    every = [anchor, *(row.curve for row in rows)]
    ends = sorted(curve.rates[-1] for curve in every)
    right = min(ends[-1], 1.1 * float(np.median(ends)))
    axes.set_xlim(0, 1.03 * right)
    seen = np.concatenate([curve.quality[curve.rates <= right] for curve in every])
    margin = 0.04 * np.ptp(seen)
    axes.set_ylim(seen.min() - margin, seen.max() + margin)
