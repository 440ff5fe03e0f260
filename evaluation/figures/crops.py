"""The figure of crops: each picture's middle, and what codecs make of it at nearly one rate."""

from __future__ import annotations

import pathlib
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evaluation.figures.style import DPI, WIDTH, draw_middle, write_figure

_FONT = 7

# Inches. Each pixel of a crop covers exactly 2x2 dots of the PNG.
_GAP = 0.06
_CAPTION = 0.32
_COLUMNS = 4
_PIXELS = int((WIDTH - (_COLUMNS + 1) * _GAP) / _COLUMNS * DPI) // 2
_CROP = 2 * _PIXELS / DPI


class Crop(NamedTuple):
    """A part of a picture and what a codec made of it; rate and PSNR are of the whole picture."""

    name: str
    codec: str
    original: np.ndarray  # uint8 [height, width, 3]
    decoded: np.ndarray  # uint8 [height, width, 3]
    bpp: float
    psnr: float


def write_crops(path: pathlib.Path, crops: Sequence[Crop]) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the middle of every original, then of what each codec made of it, as PNG and SVG.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        crops: at least one; those of one picture have the same ``name``.

    Returns:
        The two paths.

    Raises:
        ValueError: there are no crops.
    """
    if not crops:
        raise ValueError("crops must be at least one.")
    return write_figure(path, lambda: _figure(crops), font_size=_FONT)


def _figure(crops: Sequence[Crop]) -> Figure:
    cells = _cells(crops)
    rows = max(row for row, _ in cells) + 1
    height = _GAP + rows * (_CROP + _CAPTION)
    # Whole dots: otherwise the last row of the picture would be cut.
    height = round(height * DPI) / DPI
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    for (row, column), (pixels, caption) in cells.items():
        left = _whole_dots(_GAP + column * (_CROP + _GAP))
        bottom = _whole_dots(height - _GAP - row * (_CROP + _CAPTION) - _CROP)
        box = (left / WIDTH, bottom / height, _CROP / WIDTH, _CROP / height)
        draw_middle(figure.add_axes(box), pixels, caption, size=_PIXELS, font_size=_FONT)
    return figure


def _cells(crops: Sequence[Crop]) -> Dict[Tuple[int, int], Tuple[np.ndarray, str]]:
    """Row and column -> pixels and caption; a picture begins a row and goes on in the next."""
    pictures: Dict[str, List[Tuple[np.ndarray, str]]] = {}
    for crop in crops:
        shown = pictures.setdefault(crop.name, [(crop.original, f"{crop.name:.24}\noriginal")])
        shown.append((crop.decoded, f"{crop.codec:.24}\n{crop.bpp:.3f} bpp, {crop.psnr:.2f} dB"))
    cells, first = {}, 0
    for shown in pictures.values():
        for number, cell in enumerate(shown):
            cells[first + number // _COLUMNS, number % _COLUMNS] = cell
        first += -(-len(shown) // _COLUMNS)
    return cells


def _whole_dots(inches: float) -> float:
    return round(inches * DPI) / DPI
