"""A report's figure: originals beside reconstructions, a codec's point among classical curves."""

from __future__ import annotations

import pathlib
from typing import Any, Dict, Sequence, Tuple

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from evaluation.figures.cells import CLASSICAL_COLOURS, LEARNED_COLOUR, Example
from evaluation.figures.style import DASHES, draw_grid, legend_label, new_figure, write_figure
from evaluation.media import Medium
from evaluation.results import Results

_MARKERS = "os^DvPXh"
_STAR = {"marker": "*", "color": LEARNED_COLOUR}

# Inches.
_MARGIN = 0.12
_CURVES_WIDTH = 3.7
_AXIS_LABELS = 0.75
_BETWEEN = 0.18
_RATE_AXIS = 0.5
_LEGEND_ROW = 0.18

_LEGEND_COLUMNS = 3


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
        examples: files to show, at least one, as many as fit. A version that one of them lacks,
            because its codec cannot code the file, leaves its place empty.
        learned: the learned codec's operating points.
        classical: curves to compare with; from the sixth on, dashed. If one has the rate of its
            packets alone (``kbps-packets``), that is drawn in full and the whole files dotted.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _overview(medium, examples, learned, classical), font_size=8)


def _overview(medium, examples, learned, classical):
    cells = medium.cells()
    examples = examples[: cells.most_examples]
    columns = 1 + max(len(example.versions) for example in examples)
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

    own, others = _legend_handles(medium, learned, classical)
    legend_rows = 1 + -(-len(others) // _LEGEND_COLUMNS)
    first_panel = _MARGIN + legend_rows * _LEGEND_ROW + 0.04
    panel = (height - first_panel - _BETWEEN - _RATE_AXIS) / 2
    left = cells_width + _AXIS_LABELS
    _draw_legend(figure, own, others, left)
    panels = []
    for number, metric in enumerate(medium.metrics[:2]):
        panels.append(axes(left, first_panel + number * (panel + _BETWEEN), _CURVES_WIDTH, panel))
        _draw_curves(panels[-1], medium, metric, learned, classical)
        panels[-1].set_ylabel(metric.axis)
    for upper in panels[:-1]:
        upper.tick_params(labelbottom=False)
    dataset = learned.dataset
    where = f", mean over {dataset.name} ({dataset.files} files)" if dataset else ""
    panels[-1].set_xlabel(f"rate ({medium.rate_label}){where}")
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
    for number, curve in enumerate(classical):
        style = _classical_style(number)
        full = packets if packets in curve.points else rate
        axes.plot(*_points(curve, full, metric), **style)
        if full is packets:
            whole = {**style, "markersize": 2.5, "alpha": 0.6, "ls": ":", "lw": 1.0}
            axes.plot(*_points(curve, rate, metric), **whole)
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


def _classical_style(number: int) -> Dict[str, Any]:
    """Dashes tell curves of equal colour apart."""
    return {
        "color": CLASSICAL_COLOURS[number % len(CLASSICAL_COLOURS)],
        "ls": DASHES[number // len(CLASSICAL_COLOURS) % 2],  # Dots are whole files.
        "lw": 1.4,
        "marker": _MARKERS[number % len(_MARKERS)],
        "markersize": 3.5,
    }


def _legend_handles(medium, learned, classical):
    """Of the learned codec, and of what it is compared with."""
    own = Line2D([], [], ls="", markersize=9, label=legend_label(f"{learned.name:.54}"), **_STAR)
    others = []
    for number, curve in enumerate(classical):
        others.append(Line2D([], [], label=legend_label(curve.name), **_classical_style(number)))
    if any(f"{medium.rate}-packets" in curve.points for curve in classical):
        others.append(Line2D([], [], color="0.4", lw=1, ls=":", label="whole file"))
    return own, others


def _draw_legend(figure, own, others, left):
    """Above the panels, where it covers nothing: a row for the learned codec, then the others."""
    width, height = figure.get_size_inches()
    for first, handles in ((0, [own]), (1, others)):
        if handles:
            place = (left / width, 1 - (_MARGIN + first * _LEGEND_ROW) / height)
            figure.legend(
                handles=handles,
                loc="upper left",
                bbox_to_anchor=place,
                ncols=min(_LEGEND_COLUMNS, len(handles)),
                frameon=False,
                handlelength=1.8,
                labelspacing=0.25,
                borderaxespad=0,
                borderpad=0,
            )


def _points(results, rate_key, metric):
    """Rates and values of the points that have both, in order of rate."""
    rates = np.array(results.points[rate_key], np.float64)
    values = metric.decibels(np.array(results.points.get(metric.key, [np.nan] * len(rates))))
    known = np.isfinite(rates) & np.isfinite(values)
    order = np.argsort(rates[known])
    return rates[known][order], values[known][order]
