"""Figures of surrogates: the value that the decoder sees for a latent, and the gradient."""

from __future__ import annotations

import pathlib
import textwrap
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from evaluation.figures.style import COLOURS, WIDTH, new_figure, write_figure
from evaluation.figures.surrogate_statistics import RANGE, Response

_POINTS = 800
LATENTS = (np.arange(_POINTS) + 0.5) * 4 / _POINTS - 2
"""Where responses are drawn: from -2 to 2, avoiding integers and ties."""

_COLOURS = (COLOURS[5], COLOURS[0], COLOURS[1])  # from blunt to sharp
_TINT = 0.3
_ROUND = {"color": "0.35", "lw": 0.6, "zorder": 1}
_IDENTITY = {"color": "0.35", "lw": 0.6, "ls": (0, (4, 3)), "zorder": 1}

# Inches. The overview is as wide as the text of a printed page.
_COLUMNS = 4
_LEFT = 0.52
_RIGHT = 0.06
_BETWEEN = 0.12
_VALUE_HEIGHT = 1.1
_GRADIENT_HEIGHT = 0.86
_WITHIN = 0.07
_TITLE_LINE = 0.125
_ABOVE = 0.08
_BELOW = 0.14
_X_AXIS = 0.38

_VALUE_LIMITS = (-2.8, 3.5)
_GRADIENT_LIMITS = (-3.0, 7.5)
_TITLE_CHARACTERS = 26

_SMALL_FONT = 7  # points


class Panel(NamedTuple):
    """One surrogate.

    Attributes:
        names: of the quantizers with it in the decoder slot.
        responses: at ``LATENTS``, one to three, from blunt to sharp.
    """

    names: Sequence[str]
    responses: Sequence[Response]


def write_overview(path: pathlib.Path, panels: Sequence[Panel]) -> Tuple[pathlib.Path, ...]:
    """Writes all surrogates as small multiples, value above gradient, as PNG and SVG.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        panels: at least one.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _overview(panels), font_size=_SMALL_FONT)


def write_pair(path: pathlib.Path, responses: Sequence[Response]) -> Tuple[pathlib.Path, ...]:
    """Writes the value and the gradient of one surrogate side by side, as PNG and SVG.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        responses: at ``LATENTS``, one to three, from blunt to sharp.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _pair(responses), font_size=9)


def _overview(panels):
    # The cell after the last panel explains the lines.
    cells = len(panels) + 1
    columns = -(-cells // -(-cells // _COLUMNS))  # Rows of equal length, or nearly so.
    panel_width = (WIDTH - _LEFT - _RIGHT - (_COLUMNS - 1) * _BETWEEN) / _COLUMNS
    width = _LEFT + columns * panel_width + (columns - 1) * _BETWEEN + _RIGHT
    titles = [_title(panel.names) for panel in panels]
    rows = [titles[start : start + columns] for start in range(0, cells, columns)]
    above = [_ABOVE + _TITLE_LINE * max(map(len, row), default=1) for row in rows]
    body = _VALUE_HEIGHT + _WITHIN + _GRADIENT_HEIGHT
    height = sum(above) + len(rows) * body + (len(rows) - 1) * _BELOW + _X_AXIS
    figure, axes = new_figure(width, height)
    for number in range(cells):
        row, column = divmod(number, columns)
        left = _LEFT + column * (panel_width + _BETWEEN)
        top = sum(above[: row + 1]) + row * (body + _BELOW)
        if number == len(panels):
            _draw_key(axes(left, top, panel_width, body))
            continue
        value = axes(left, top, panel_width, _VALUE_HEIGHT)
        gradient = axes(left, top + _VALUE_HEIGHT + _WITHIN, panel_width, _GRADIENT_HEIGHT)
        # The key has no axis, so the panel above it has the labels.
        lowest = number + columns >= len(panels)
        _draw_small(value, gradient, panels[number], titles[number], column == 0, lowest)
    return figure


def _title(names) -> List[str]:
    """Names in lines that a panel is wide enough for."""
    return textwrap.wrap(", ".join(names), _TITLE_CHARACTERS, break_on_hyphens=False)


def _draw_small(value, gradient, panel, title, first, lowest):
    _draw_responses(value, gradient, panel.responses, lw=1.1)
    value.set_ylim(*_VALUE_LIMITS)
    gradient.set_ylim(*_GRADIENT_LIMITS)
    value.set_title("\n".join(title), fontsize=7.5, loc="left", pad=3, linespacing=1.15)
    for axes, ticks in ((value, (-2, 0, 2)), (gradient, (-2, 0, 2, 4, 6))):
        axes.set_xticks((-1, 0, 1))
        axes.set_yticks(ticks)
        axes.tick_params(length=2, width=0.6, pad=2, labelleft=first)
    value.tick_params(labelbottom=False)
    gradient.tick_params(labelbottom=lowest)
    if lowest:
        gradient.set_xlabel("latent y", labelpad=1.5)
    if first:
        value.set_ylabel("decoder sees", labelpad=2)
        gradient.set_ylabel("gradient", labelpad=2)
    if panel.responses[0].label:
        spacing = {
            "borderaxespad": 0.2,
            "handlelength": 1,
            "handletextpad": 0.5,
            "labelspacing": 0.15,
        }
        handles, labels = _labelled(panel.responses, lw=1.1)
        value.legend(handles, labels, loc="upper left", frameon=False, fontsize=6.5, **spacing)
    _note_clipped(gradient, panel.responses)


def _note_clipped(axes, responses):
    """Notes how far curves and ranges extend beyond the frame."""
    lowest = min(response.gradient.low.min() for response in responses)
    highest = max(response.gradient.high.max() for response in responses)
    low, high = axes.get_ylim()
    for beyond, extreme, arrow, place, side in (
        (highest > high, highest, "\N{BLACK UP-POINTING TRIANGLE}", 0.96, "top"),
        (lowest < low, lowest, "\N{BLACK DOWN-POINTING TRIANGLE}", 0.04, "bottom"),
    ):
        if beyond:
            text = f"{arrow}{extreme:.0f}".replace("-", "\N{MINUS SIGN}")
            axes.text(0.5, place, text, transform=axes.transAxes, ha="center", va=side, fontsize=7)


def _draw_key(axes):
    axes.axis("off")
    first, middle, last = (Line2D([], [], color=colour, lw=1.1) for colour in _COLOURS)
    low, high = RANGE
    entries = [
        (first, "first value of the schedule"),
        (middle, "middle"),
        (last, "last, or no schedule"),
        (Line2D([], [], **_ROUND), "round"),
        (Line2D([], [], **_IDENTITY), "identity"),
        (Patch(facecolor="0.82"), f"random: {low:.0f} to {high:.0f} % of\nthe draws; line: mean"),
        (
            Line2D([], [], ls="", marker="^", color="black", ms=3.5),
            "n: reaches n, beyond\nthe frame",
        ),
    ]
    handles, labels = zip(*entries)
    axes.legend(handles, labels, loc="upper left", frameon=False, borderaxespad=0, handlelength=1.6)


def _pair(responses):
    figure, _ = new_figure(WIDTH, 3.5)
    value = figure.add_axes((0.075, 0.125, 0.405, 0.845))
    gradient = figure.add_axes((0.575, 0.125, 0.405, 0.845))
    _draw_responses(value, gradient, responses, lw=1.8)
    value.set_ylim(-2.2, 2.2)
    value.set_yticks(range(-2, 3))
    value.set_ylabel("decoder sees", labelpad=2)
    gradient.set_ylabel("gradient")
    for axes in (value, gradient):
        axes.set_xlabel("latent y", labelpad=2)
    handles, labels = _labelled(responses, lw=1.8)
    handles += [Line2D([], [], **_ROUND), Line2D([], [], **_IDENTITY)]
    labels += ["round", "identity"]
    value.legend(handles, labels, loc="upper left", frameon=False, handlelength=1.8)
    return figure


def _draw_responses(value, gradient, responses, lw):
    value.stairs(range(-2, 3), (-2, -1.5, -0.5, 0.5, 1.5, 2), baseline=None, **_ROUND)
    value.plot((-2, 2), (-2, 2), **_IDENTITY)
    gradient.axhline(0, **_ROUND)
    gradient.axhline(1, **_IDENTITY)
    colours = _colours(responses)
    for axes, spreads in (
        (value, [response.value for response in responses]),
        (gradient, [response.gradient for response in responses]),
    ):
        _draw_ranges(axes, spreads, colours)
        for spread, colour in zip(spreads, colours):
            axes.plot(LATENTS, spread.mean, color=colour, lw=lw, zorder=5)
    for axes in (value, gradient):
        axes.set_xlim(-2, 2)
        axes.set_xticks(range(-2, 3))
        axes.spines[["top", "right"]].set_visible(False)


def _draw_ranges(axes, spreads, colours):
    """Draws ranges, the widest first."""
    widths = [float(np.median(spread.high - spread.low)) for spread in spreads]
    for number in np.argsort(widths)[::-1]:
        spread = spreads[number]
        if np.any(spread.high > spread.low):
            # Opaque: overlapping transparent tints would show colours that mean nothing.
            tint = tuple(1 - _TINT * (1 - part) for part in to_rgb(colours[number]))
            # Every other latent: areas, unlike lines, are not simplified in the SVG.
            area = (LATENTS[::2], spread.low[::2], spread.high[::2])
            axes.fill_between(*area, facecolor=tint, lw=0, zorder=0)


def _labelled(responses, lw):
    handles = [Line2D([], [], color=colour, lw=lw) for colour in _colours(responses)]
    return handles, [response.label for response in responses]


def _colours(responses):
    """The sharpest has the same colour everywhere, even alone."""
    return _COLOURS[len(_COLOURS) - len(responses) :]
