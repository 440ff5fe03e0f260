"""Curves ranked by their loss at equal lmbda, where they have too few points for BD-rates."""

from __future__ import annotations

import pathlib
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from evaluation.comparison.bootstrap import LEVEL
from evaluation.comparison.comparable import Unranked
from evaluation.comparison.contrasts import (
    Contrast,
    Contrasts,
    contrast_cells,
    contrast_notes,
    contrast_records,
    part_cells,
    seeds_text,
)
from evaluation.comparison.curves import check_same_files, means_of
from evaluation.comparison.export import documents, markdown_table, remove_others
from evaluation.comparison.grouping import Groups
from evaluation.comparison.losses import losses_of
from evaluation.comparison.significance import p_text
from evaluation.figures.losses import Difference, write_losses
from evaluation.metrics import Metric
from evaluation.provenance import provenance
from signals.files import write_atomically


class Standing(NamedTuple):
    """A curve's means over its runs and files.

    Attributes:
        name: of the curve.
        runs: how many.
        loss: ``bpp + lmbda * distortion``, of the files that have one.
        rate: in the medium's unit.
        quality: in the requested metric, as in curves.
        contrast: against the anchor; None for the anchor itself, and without a test.
    """

    name: str
    runs: int
    loss: float
    rate: float
    quality: float
    contrast: Optional[Contrast]


def rank_by_loss(
    groups: Groups,
    anchor: str,
    tested: Contrasts,
    *,
    metric: Metric,
    reason: str,
    half_width: float,
    dataset: str,
    output: pathlib.Path,
    unusable: Sequence[Unranked] = (),
    left_out: Sequence[str] = (),
    has_images: bool = False,
) -> str:
    """Writes tables, records and the figure of the losses, and returns the tables with notes.

    Args:
        groups: name -> runs.
        anchor: the curve that the others are compared with.
        tested: of each curve against the anchor, and what else was named.
        metric: of the quality that is shown beside the loss.
        reason: why there is no ranking by BD-rate.
        half_width: for which the seeds still needed are counted, percent.
        dataset: its name.
        output: folder of ``comparison.md``, ``.json``, ``.csv``, ``.tex``, ``contrasts.csv``
            and, if a curve was tested against the anchor, ``losses.png`` and ``.svg``.
        unusable: files that could not be read.
        left_out: sentences on what was given and is in no curve.
        has_images: whether originals were given, for a report page that there is not.
    """
    standings, unranked = standings_of(groups, anchor, tested, metric)
    unranked += unusable
    cells = _cells(standings, unranked, anchor, metric, half_width)
    tables = {f"Loss compared with {anchor}": cells}
    others = [each for each in tested.tested if each.anchor != anchor]
    if others:
        tables["Contrasts"] = contrast_cells(others, half_width)
    if len({each.measure for each in tested.parts}) > 1:
        tables["Loss at equal lmbda, difference in percent"] = part_cells(tested.parts)
    remarks = [f"Ranked by loss: {reason}", *contrast_notes(tested, half_width), *left_out]
    text = "\n\n".join(markdown_table(*each) for each in tables.values())
    text += "\n\n" + "\n".join(f"- {each}" for each in remarks)
    document = {
        "anchor": anchor,
        "dataset": dataset,
        "curves": [
            _record(number if _has_place(each, anchor) else None, each)
            for number, each in enumerate(standings, start=1)
        ],
        "not_ranked": [{"name": each.name, "reason": each.reason} for each in unranked],
        "contrasts": contrast_records(tested, half_width),
        "notes": remarks,
        "provenance": provenance(),
    }
    written = documents(text, tables, document)
    for name, content in written.items():
        write_atomically(output / name, (content.rstrip("\n") + "\n").encode())
    differences = [
        Difference(each.name, each.contrast.percent, each.contrast.low, each.contrast.high)
        for each in standings
        if each.contrast is not None
    ]
    names = list(written)
    if differences:
        write_losses(output / "losses.png", {dataset: differences}, anchor=anchor)
        names += ["losses.png", "losses.svg"]
    remove_others(output, names)
    lacking = "no report page: it needs BD-rates"
    lacking += "; --images is not used." if has_images else "."
    return f"{text}\n\nwrote to {output}: {', '.join(names)}\n{lacking}"


def standings_of(
    groups: Groups, anchor: str, tested: Contrasts, metric: Metric
) -> Tuple[List[Standing], List[Unranked]]:
    """Curves from the lowest loss on, and those without one.

    Those without a test against the anchor come last: their losses may be of other lmbda.
    """
    against: Dict[str, Contrast] = {
        each.curve: each
        for each in tested.tested
        if each.measure == "loss" and each.anchor == anchor
    }
    standings, unranked = [], []
    for name, runs in groups.items():
        try:
            check_same_files([(run.source, run.results.dataset) for run in runs])
            # Small images have no MS-SSIM, and no loss with it as the distortion.
            loss = np.nanmean([losses_of(run) for run in runs])
            rate, quality = np.mean([means_of(run, metric) for run in runs], axis=0)[:, 0]
        except ValueError as error:
            unranked.append(Unranked(name, str(error)))
            continue
        means = map(float, (loss, rate, metric.decibels(quality)))
        standings.append(Standing(name, len(runs), *means, against.get(name)))

    def place(each: Standing) -> Tuple[bool, float]:
        if not _has_place(each, anchor):
            return True, each.loss
        return False, 0.0 if each.contrast is None else each.contrast.percent

    return sorted(standings, key=place), unranked


def _has_place(each: Standing, anchor: str) -> bool:
    """Whether a curve is the anchor or was tested against it."""
    return each.name == anchor or each.contrast is not None


def _cells(
    standings: Sequence[Standing],
    unranked: Sequence[Unranked],
    anchor: str,
    metric: Metric,
    half_width: float,
) -> Tuple[List[str], List[List[str]]]:
    header = [
        "", "curve", "runs", "loss", metric.medium.rate, metric.axis, "difference (%)",
        f"{LEVEL:.0%} interval", "p (Holm)", "better", f"more seeds for ±{half_width:g} %",
    ]  # fmt: skip
    rows = []
    for number, each in enumerate(standings, start=1):
        found, has_place = each.contrast, _has_place(each, anchor)
        row = [
            str(number) if has_place else "-", each.name, str(each.runs), f"{each.loss:.3f}",
            f"{each.rate:.3f}", f"{each.quality:.2f}",
        ]  # fmt: skip
        if not has_place:
            row += ["-"] * 5
        elif found is None:
            row += ["0", "anchor", *[""] * 3]
        else:
            row += [
                f"{found.percent:+.2f}",
                f"{found.low:+.2f} to {found.high:+.2f}",
                p_text(found.p, found.p_holm),
                f"{found.better:.0%}",
                seeds_text(found.spread.more_seeds(half_width)),
            ]
        rows.append(row)
    for each in unranked:
        rows.append(["-", each.name, *["-"] * 4, "not ranked", *["-"] * 3, each.reason])
    return header, rows


def _record(rank: Optional[int], each: Standing) -> Dict[str, object]:
    fields = {key: value for key, value in each._asdict().items() if key != "contrast"}
    found = each.contrast
    return {
        "rank": rank,
        **fields,
        "loss_percent": found and found.percent,
        "interval_percent": found and [found.low, found.high],
        "p": found and found.p,
        "p_holm": found and found.p_holm,
        "probability_of_improvement": found and found.better,
    }
