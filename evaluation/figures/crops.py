"""The figure of crops: the middle of each image, and what codecs make of it at nearly one rate."""

from __future__ import annotations

import pathlib
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from evaluation.figures.style import DPI, WIDTH, draw_middle, new_figure, write_figure

_FONT = 7

# Inches. Each pixel of a crop covers exactly 2x2 dots of the PNG.
_GAP = 0.06
_CAPTION = 0.32
_COLUMNS = 4
_PIXELS = int((WIDTH - (_COLUMNS + 1) * _GAP) / _COLUMNS * DPI) // 2
_CROP = 2 * _PIXELS / DPI


class Crop(NamedTuple):
    """A part of an image and what a codec made of it; rate and PSNR are of the whole image."""

    name: str
    codec: str
    original: np.ndarray  # uint8 [height, width, 3]
    decoded: np.ndarray  # uint8 [height, width, 3]
    bpp: float
    psnr: float


def write_crops(path: pathlib.Path, crops: Sequence[Crop]) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the middle of every original, then of its decoded versions, as PNG and SVG.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        crops: at least one; those of one image have the same ``name``.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _figure(crops), font_size=_FONT)


def _figure(crops: Sequence[Crop]):
    cells = _cells(crops)
    rows = max(row for row, _ in cells) + 1
    # Whole dots, or the last row of pixels would be cut.
    figure, add_axes = new_figure(WIDTH, _whole_dots(_GAP + rows * (_CROP + _CAPTION)))
    for (row, column), (pixels, caption) in cells.items():
        left = _whole_dots(_GAP + column * (_CROP + _GAP))
        top = _whole_dots(_GAP + row * (_CROP + _CAPTION))
        axes = add_axes(left, top, _CROP, _CROP)
        draw_middle(axes, pixels, caption, size=_PIXELS, font_size=_FONT)
    return figure


def _cells(crops: Sequence[Crop]) -> Dict[Tuple[int, int], Tuple[np.ndarray, str]]:
    """Row and column -> pixels and caption. Each image begins a row."""
    images: Dict[str, List[Tuple[np.ndarray, str]]] = {}
    for crop in crops:
        shown = images.setdefault(crop.name, [(crop.original, f"{crop.name:.24}\noriginal")])
        shown.append((crop.decoded, f"{crop.codec:.24}\n{crop.bpp:.3f} bpp, {crop.psnr:.2f} dB"))
    cells, first = {}, 0
    for shown in images.values():
        for number, cell in enumerate(shown):
            cells[first + number // _COLUMNS, number % _COLUMNS] = cell
        first += -(-len(shown) // _COLUMNS)
    return cells


def _whole_dots(inches: float) -> float:
    return round(inches * DPI) / DPI
