"""One overview figure: originals beside reconstructions, a learned point among classical curves."""

from __future__ import annotations

import pathlib
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evaluation.figures.style import DPI, draw_middle, write_figure
from evaluation.metrics.image import ms_ssim_db
from evaluation.results import Results

# Okabe & Ito 2008: told apart under every common colour blindness. Vermillion is the learned codec.
_LEARNED_COLOUR = "#D55E00"
_CURVE_STYLES = (
    ("#0072B2", "o"),
    ("#009E73", "s"),
    ("#CC79A7", "^"),
    ("#E69F00", "D"),
    ("#56B4E9", "v"),
)

# Inches. A crop is 192 pixels wide and each of its pixels covers exactly 2x2 dots of the PNG.
_CROP_PIXELS = 192
_CROP = 2 * _CROP_PIXELS / DPI
_GAP = 0.08
_CAPTION = 0.42
_MARGIN = 0.12
_CURVES_WIDTH = 3.7
_AXIS_LABELS = 0.75
_MAX_EXAMPLES = 3


class Version(NamedTuple):
    """A decoded picture; rate and PSNR are of the whole picture."""

    label: str
    pixels: np.ndarray  # uint8 [height, width, 3]
    bpp: float
    psnr: float


class Example(NamedTuple):
    """An original and what codecs made of it, all of one size."""

    name: str
    original: np.ndarray  # uint8 [height, width, 3]
    versions: Sequence[Version]


def write_overview(
    path: pathlib.Path, examples: Sequence[Example], learned: Results, classical: Sequence[Results]
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the figure as PNG and SVG.

    Args:
        path: Where to; the suffix is replaced by .png and .svg.
        examples: Pictures to show, the first three of them, with equally many versions each.
        learned: The learned codec's operating points.
        classical: Curves to compare with, such as JPEG and WebP.

    Returns:
        The two paths.

    Raises:
        ValueError: There are no examples, or they differ in their number of versions.
    """
    examples = list(examples)[:_MAX_EXAMPLES]
    if not examples or len({len(example.versions) for example in examples}) != 1:
        raise ValueError(
            "examples must be at least one, all with equally many versions, "
            f"got {[len(example.versions) for example in examples]}"
        )
    return write_figure(path, lambda: _overview(examples, learned, classical), font_size=9)


def _overview(examples, learned, classical):
    columns = 1 + len(examples[0].versions)
    crops_width = 2 * _MARGIN + columns * _CROP + (columns - 1) * _GAP
    width = crops_width + _AXIS_LABELS + _CURVES_WIDTH + 2 * _MARGIN
    # One row of crops is too low for two panels.
    height = max(_MARGIN + len(examples) * (_CROP + _CAPTION), 4.2)
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)

    def axes(left, top, axes_width, axes_height):
        bottom = height - top - axes_height
        box = (left / width, bottom / height, axes_width / width, axes_height / height)
        return figure.add_axes(box)

    for row, example in enumerate(examples):
        for column, (pixels, caption) in enumerate(_shown(example)):
            left = _MARGIN + column * (_CROP + _GAP)
            top = _MARGIN + row * (_CROP + _CAPTION)
            box = axes(left, top, _CROP, _CROP)
            draw_middle(box, pixels, caption, size=_CROP_PIXELS, font_size=8)

    between = 0.2
    panel = (height - 2 * _MARGIN - between - 0.65) / 2
    left = crops_width + _AXIS_LABELS
    quality = axes(left, _MARGIN + 0.1, _CURVES_WIDTH, panel)
    similarity = axes(left, _MARGIN + 0.1 + panel + between, _CURVES_WIDTH, panel)
    _draw_curves(quality, learned, classical, "psnr-rgb", lambda values: values)
    _draw_curves(similarity, learned, classical, "ms-ssim-rgb", ms_ssim_db)
    quality.set_ylabel("PSNR (dB)")
    quality.tick_params(labelbottom=False)
    quality.legend(loc="best", frameon=False, handlelength=1.6)
    similarity.set_ylabel("MS-SSIM (dB)")
    similarity.set_xlabel("rate (bits per pixel)" + _dataset(learned))
    figure.align_ylabels([quality, similarity])
    return figure


def _shown(example) -> List[Tuple[np.ndarray, str]]:
    captions = [
        f"{version.label:.28}\n{version.bpp:.3f} bpp, {version.psnr:.2f} dB"
        for version in example.versions
    ]
    pictures = [version.pixels for version in example.versions]
    return [(example.original, f"{example.name:.28}\noriginal, 24 bpp"), *zip(pictures, captions)]


def _draw_curves(axes, learned, classical, key, scale):
    for (colour, marker), curve in zip(_CURVE_STYLES, classical):
        bpp, quality = _sorted_points(curve, key, scale)
        axes.plot(bpp, quality, color=colour, marker=marker, markersize=4, lw=1.5, label=curve.name)
    bpp, quality = _sorted_points(learned, key, scale)
    star = {"marker": "*", "markersize": 13, "markeredgecolor": "white", "zorder": 5}
    line = {"lw": 1.5 if len(bpp) > 1 else 0, "color": _LEARNED_COLOUR, "label": learned.name}
    axes.plot(bpp, quality, **star, **line)
    axes.grid(True, color="0.9", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    # Two bits per pixel hold the rates of learned codecs; an untrained one may lie beyond.
    axes.set_xlim(0, max(2.0, 1.25 * np.max(learned.points["bpp"])))


def _sorted_points(results, key, scale):
    values = scale(np.array(results.points.get(key, [np.nan] * len(results.points["bpp"]))))
    bpp = np.array(results.points["bpp"])
    order = np.argsort(bpp)
    return bpp[order], np.where(np.isfinite(values), values, np.nan)[order]


def _dataset(results):
    dataset = results.dataset
    return f", mean over {dataset.name} ({dataset.files} files)" if dataset else ""
