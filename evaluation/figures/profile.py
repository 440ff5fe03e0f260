"""The figure of per-file BD-rates: how many files each curve improves, and by how much."""

from __future__ import annotations

import pathlib
from typing import Mapping, Tuple

import numpy as np

from evaluation.comparison.by_file import ByFile
from evaluation.comparison.curves import Curve
from evaluation.figures.style import (
    WIDTH,
    curve_style,
    draw_grid,
    legend_label,
    new_figure,
    write_figure,
)

_FONT = 8
_HEIGHT = 2.4
_ROW = 0.17
"""Inches for each curve of the right panel."""


def write_profile(
    path: pathlib.Path, anchor: Curve, files: Mapping[str, ByFile], *, dataset: str
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the profile (left) and the probability of improvement (right) as PNG and SVG.

    The profile (Agarwal et al. 2021, arXiv 2108.13264) shows the share of files whose BD-rate is at
    most that of the axis; where it crosses 0 it is the share of improved files, which the right
    panel repeats with its interval over files and seeds.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        anchor: what the BD-rates are against.
        files: name of another curve -> its BD-rates, in the order of the ranking.
        dataset: its name, for the axis.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _figure(anchor, files, dataset), font_size=_FONT)


def _figure(anchor, files, dataset):
    height = max(_HEIGHT, 0.6 + _ROW * len(files))
    figure, _ = new_figure(WIDTH, height)
    box = {"left": 0.55 / WIDTH, "right": 1 - 0.12 / WIDTH}
    box.update(bottom=0.42 / height, top=1 - 0.08 / height)
    # For the names beside the right panel.
    space = min(0.9, 0.16 + 0.022 * max(map(len, files)))
    shares, chances = figure.subplots(
        1, 2, gridspec_kw={**box, "wspace": space, "width_ratios": [1.5, 1]}
    )
    kind = anchor.metric.medium.files
    _draw_profiles(shares, files.values())
    shares.set_xlabel(f"BD-rate beside {anchor.name:.24} (%), {dataset:.24}; markers: means")
    shares.set_ylabel(f"share of {kind} at or below")
    _draw_chances(chances, files)
    chances.set_xlabel(f"share of {kind} improved")
    for axes in (shares, chances):
        draw_grid(axes)
    return figure


def _draw_profiles(axes, files):
    for number, each in enumerate(files):
        known = each.known
        at = np.repeat(known, 2)
        share = np.repeat(np.arange(len(known) + 1) / len(known), 2)[1:-1]
        style = {**curve_style(number), "marker": ""}
        axes.plot(at, share, **style)
        axes.plot(each.mean, -0.035, **{**curve_style(number), "ls": ""}, clip_on=False)
    axes.axvline(0, color="black", lw=1)
    axes.set_ylim(-0.07, 1.02)


def _draw_chances(axes, files):
    places = np.arange(len(files))[::-1]
    for number, (each, place) in enumerate(zip(files.values(), places)):
        style = curve_style(number)
        axes.plot(each.better_interval, [place, place], color=style["color"], lw=2)
        axes.plot(each.better, place, **{**style, "ls": "", "markersize": 5})
    axes.axvline(0.5, color="black", lw=1)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.6, len(files) - 0.4)
    axes.set_yticks(places, [legend_label(f"{name:.32}") for name in files])
