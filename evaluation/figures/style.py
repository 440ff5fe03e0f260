"""What all figures share: colours, dashes, markers, fonts, axes; each is written as PNG and SVG."""

from __future__ import annotations

import io
import pathlib
from typing import Any, Callable, Dict, Tuple

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from signals.files import write_atomically

# Okabe & Ito 2008: distinguishable under all common colour blindness. Yellow is left out, being
# invisible on white. From the seventh curve on, dashes and markers tell equal colours apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
MARKERS = "osD^vP*Xp<>h"
DPI = 200
WIDTH = 7.2
"""Inches: as wide as the text of a printed page."""

STYLE = {
    "font.family": "DejaVu Sans",
    "axes.linewidth": 0.6,
    "svg.hashsalt": "roundtrip",
    "text.parse_math": False,  # Names of files and codecs are text, dollar signs and all.
}

AddAxes = Callable[[float, float, float, float], Any]
"""Adds axes at left, top, width, height in inches."""


def curve_style(number: int) -> Dict[str, Any]:
    """Colour, dashes and marker of a curve, the same in every figure and on the report page."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "ls": DASHES[number // len(COLOURS) % len(DASHES)],
        "lw": 1.2,
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 3,
    }


def legend_label(name: str) -> str:
    """A name as a legend shows it; matplotlib hides labels that start with an underscore."""
    return f"\u200b{name}" if name.startswith("_") else name


def new_figure(width: float, height: float) -> Tuple[Figure, AddAxes]:
    """A figure without pyplot, which would keep it for ever; and how to add axes to it."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)

    def add_axes(left, top, axes_width, axes_height):
        bottom = height - top - axes_height
        box = (left / width, bottom / height, axes_width / width, axes_height / height)
        return figure.add_axes(box)

    return figure, add_axes


def draw_grid(axes) -> None:
    """A light grid, and no frame at the top and the right."""
    axes.grid(True, color="0.9", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5, width=0.6)


def write_figure(
    path: pathlib.Path, draw: Callable[[], Figure], *, font_size: float
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the figure that ``draw`` returns as PNG and SVG, without dates in them.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        draw: makes the figure.
        font_size: in points.

    Returns:
        The two paths.
    """
    paths = []
    with matplotlib.rc_context({**STYLE, "font.size": font_size}):
        figure = draw()
        for suffix, metadata in ((".png", {}), (".svg", {"Date": None})):
            file = io.BytesIO()
            figure.savefig(file, format=suffix[1:], dpi=DPI, metadata=metadata)
            paths.append(pathlib.Path(path).with_suffix(suffix))
            write_atomically(paths[-1], file.getvalue())
    return paths[0], paths[1]


def draw_middle(axes, pixels: np.ndarray, caption: str, *, size: int, font_size: float) -> None:
    """The middle ``size * size`` pixels of a uint8 image [height, width, 3], a caption below."""
    top, left = (max(length - size, 0) // 2 for length in pixels.shape[:2])
    crop = pixels[top : top + size, left : left + size]
    rows, columns = crop.shape[:2]
    axes.imshow(crop, interpolation="none", extent=(0, columns, rows, 0))
    axes.set_xlim(0, size)
    axes.set_ylim(size, 0)
    axes.axis("off")
    axes.text(0, 1.02 * size, caption, fontsize=font_size, va="top", linespacing=1.25)
