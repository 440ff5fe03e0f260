"""The figure of per-file BD-rates: how many files each curve improves, and by how much."""

from __future__ import annotations

import pathlib
from typing import NamedTuple, Sequence, Tuple

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


class Profile(NamedTuple):
    """A curve's name and its per-file BD-rates."""

    name: str
    by_file: ByFile


def write_profile(
    path: pathlib.Path, anchor: Curve, profiles: Sequence[Profile], *, dataset: str
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the profile (left) and the probability of improvement (right) as PNG and SVG.

    The profile (Agarwal et al. 2021, arXiv 2108.13264) shows the share of files whose BD-rate is at
    most that of the axis; where it crosses 0 it is the share of improved files, which the right
    panel repeats with its interval over files and seeds.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        anchor: what the BD-rates are against.
        profiles: the other curves, in the order of the ranking.
        dataset: its name, for the axis.

    Returns:
        The two paths.
    """
    return write_figure(path, lambda: _figure(anchor, profiles, dataset), font_size=_FONT)


def _figure(anchor, profiles, dataset):
    height = max(_HEIGHT, 0.6 + _ROW * len(profiles))
    figure, _ = new_figure(WIDTH, height)
    box = {"left": 0.55 / WIDTH, "right": 1 - 0.12 / WIDTH}
    box.update(bottom=0.42 / height, top=1 - 0.08 / height)
    longest = max(len(profile.name) for profile in profiles)
    space = min(0.9, 0.16 + 0.022 * longest)  # For the names beside the right panel.
    shares, chances = figure.subplots(
        1, 2, gridspec_kw={**box, "wspace": space, "width_ratios": [1.5, 1]}
    )
    files = anchor.metric.medium.files
    _draw_profiles(shares, profiles)
    shares.set_xlabel(f"BD-rate beside {anchor.name:.24} (%), {dataset:.24}; markers: means")
    shares.set_ylabel(f"share of {files} at or below")
    _draw_chances(chances, profiles)
    chances.set_xlabel(f"share of {files} improved")
    for axes in (shares, chances):
        draw_grid(axes)
    return figure


def _draw_profiles(axes, profiles):
    for number, profile in enumerate(profiles):
        known = profile.by_file.known
        at = np.repeat(known, 2)
        share = np.repeat(np.arange(len(known) + 1) / len(known), 2)[1:-1]
        style = {**curve_style(number), "marker": ""}
        axes.plot(at, share, **style)
        axes.plot(profile.by_file.mean, -0.035, **{**curve_style(number), "ls": ""}, clip_on=False)
    axes.axvline(0, color="black", lw=1)
    axes.set_ylim(-0.07, 1.02)


def _draw_chances(axes, profiles):
    places = np.arange(len(profiles))[::-1]
    for number, (profile, place) in enumerate(zip(profiles, places)):
        style = curve_style(number)
        axes.plot(profile.by_file.better_interval, [place, place], color=style["color"], lw=2)
        axes.plot(profile.by_file.better, place, **{**style, "ls": "", "markersize": 5})
    axes.axvline(0.5, color="black", lw=1)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.6, len(profiles) - 0.4)
    axes.set_yticks(places, [legend_label(f"{profile.name:.32}") for profile in profiles])
