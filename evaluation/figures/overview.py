"""A report's figure: originals beside reconstructions, a codec's point among classical curves."""

from __future__ import annotations

import pathlib
from typing import Sequence, Tuple

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from evaluation.figures.cells import CLASSICAL_COLOURS, LEARNED_COLOUR, Example, Version
from evaluation.figures.style import draw_grid, new_figure, write_figure
from evaluation.media import Medium
from evaluation.results import Results

__all__ = ["Example", "Version", "write_overview"]

_MARKERS = "os^Dv"
_STAR = {"marker": "*", "color": LEARNED_COLOUR}

# Inches.
_MARGIN = 0.12
_CURVES_WIDTH = 3.7
_AXIS_LABELS = 0.75
_BETWEEN = 0.18
_RATE_AXIS = 0.5


def write_overview(
    path: pathlib.Path,
    medium: Medium,
    examples: Sequence[Example],
    learned: Results,
    classical: Sequence[Results],
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the figure as PNG and SVG.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        medium: its first two metrics get a panel each.
        examples: files to show, as many as fit, with equally many versions each.
        learned: the learned codec's operating points.
        classical: curves to compare with, up to five. If one has the rate of its packets alone
            (``kbps-packets``), that is drawn in full and the whole files dotted.

    Returns:
        The two paths.

    Raises:
        ValueError: there are no examples, or they differ in their number of versions.
    """
    if not examples or len({len(example.versions) for example in examples}) != 1:
        raise ValueError(
            "examples must be at least one, all with equally many versions, "
            f"got {[len(example.versions) for example in examples]}"
        )
    return write_figure(path, lambda: _overview(medium, examples, learned, classical), font_size=8)


def _overview(medium, examples, learned, classical):
    cells = medium.cells()
    examples = examples[: cells.most_examples]
    columns = 1 + len(examples[0].versions)
    first = _MARGIN + cells.before
    cells_width = first + columns * cells.width + (columns - 1) * cells.gap
    width = cells_width + _AXIS_LABELS + _CURVES_WIDTH + _MARGIN
    # One row of examples is too low for two panels.
    height = max(_MARGIN + len(examples) * cells.height, 4.2)
    figure, axes = new_figure(width, height)
    for row, example in enumerate(examples):
        for column, caption in enumerate(_captions(medium, example)):
            left = first + column * (cells.width + cells.gap)
            cells.draw(axes, example, column, caption, left, _MARGIN + row * cells.height)

    panel = (height - _MARGIN - _BETWEEN - _RATE_AXIS) / 2
    left = cells_width + _AXIS_LABELS
    panels = []
    for number, metric in enumerate(medium.metrics[:2]):
        panels.append(axes(left, _MARGIN + number * (panel + _BETWEEN), _CURVES_WIDTH, panel))
        _draw_curves(panels[-1], medium, metric, learned, classical)
        panels[-1].set_ylabel(metric.axis)
    for upper in panels[:-1]:
        upper.tick_params(labelbottom=False)
    dataset = learned.dataset
    where = f", mean over {dataset.name} ({dataset.files} files)" if dataset else ""
    panels[-1].set_xlabel(f"rate ({medium.rate_label}){where}")
    _draw_legend(panels[0], medium, learned, classical)
    figure.align_ylabels(panels)
    return figure


def _captions(medium, example):
    metric = medium.metrics[0]
    yield f"{example.name:.28}\noriginal"
    for version in example.versions:
        quality = f"{version.quality:.{metric.digits}f} {metric.unit}"
        rate = f"{version.rate:.{medium.rate_digits}f} {medium.rate}"
        caption = f"{version.label:.28}\n{rate}, {quality}"
        yield caption.replace("-inf", "\N{MINUS SIGN}\N{INFINITY}")


def _draw_curves(axes, medium, metric, learned, classical):
    rate, packets = medium.rate, f"{medium.rate}-packets"
    for colour, marker, curve in zip(CLASSICAL_COLOURS, _MARKERS, classical):
        style = {"color": colour, "marker": marker, "markersize": 3.5}
        full = packets if packets in curve.points else rate
        axes.plot(*_points(curve, full, metric), lw=1.4, **style)
        if full is packets:
            whole = {**style, "markersize": 2.5, "alpha": 0.6, "ls": ":"}
            axes.plot(*_points(curve, rate, metric), lw=1.0, **whole)
    rates, values = _points(learned, rate, metric)
    line = 1.4 if len(rates) > 1 else 0
    axes.plot(rates, values, lw=line, markersize=12, markeredgecolor="white", zorder=5, **_STAR)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    if medium.log_rates:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        # Learned codecs work below two bits per pixel; an untrained one may be beyond.
        axes.set_xlim(0, max(2.0, 1.25 * np.max(learned.points[rate])))
    draw_grid(axes)
    axes.tick_params(which="minor", length=0)


def _draw_legend(axes, medium, learned, classical):
    handles = [Line2D([], [], ls="", markersize=9, label=f"{learned.name:.32}", **_STAR)]
    for colour, marker, curve in zip(CLASSICAL_COLOURS, _MARKERS, classical):
        style = {"color": colour, "marker": marker, "markersize": 3.5, "lw": 1.4}
        handles.append(Line2D([], [], label=curve.name, **style))
    if any(f"{medium.rate}-packets" in curve.points for curve in classical):
        handles.append(Line2D([], [], color="0.4", lw=1, ls=":", label="whole file"))
    axes.legend(handles=handles, loc="best", frameon=False, handlelength=1.8)


def _points(results, rate_key, metric):
    """Rates and values of the points that have both, in order of rate."""
    rates = np.array(results.points[rate_key], np.float64)
    values = metric.decibels(np.array(results.points.get(metric.key, [np.nan] * len(rates))))
    known = np.isfinite(rates) & np.isfinite(values)
    order = np.argsort(rates[known])
    return rates[known][order], values[known][order]
