"""The whole comparison: results files in; table, JSON, figures and report page out."""

from __future__ import annotations

import html
import json
import pathlib
from typing import Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from codec.file_codec import FileCodec
from evaluation.comparison.comparable import Unranked, comparable_curves
from evaluation.comparison.curves import Curve
from evaluation.comparison.grouping import Groups, group_results, select_groups
from evaluation.comparison.intervals import check_resamples
from evaluation.comparison.measurements import Found, find_results, read_measurements
from evaluation.comparison.notes import notes, points_left_out
from evaluation.comparison.page.crops import common_rate, crops_at
from evaluation.comparison.page.document import write_page
from evaluation.comparison.page.recordings import recordings_of
from evaluation.comparison.page.sources import sources_of
from evaluation.comparison.ranking import rank, record, table
from evaluation.figures.crops import write_crops
from evaluation.figures.curves import Compared, write_comparison
from evaluation.metrics import METRICS
from evaluation.provenance import provenance
from signals.files import write_atomically
from signals.image_files import NamedImage

GRID = 200
"""Number of qualities at which the figure shows differences in rate."""


def compare(
    results: Sequence[str],
    *,
    anchor: str,
    output: pathlib.Path,
    quantizers: pathlib.Path,
    ignored: Sequence[str],
    load_codec: Callable[[pathlib.Path], FileCodec],
    only: Optional[str] = None,
    dataset: str = "kodak",
    metric: Optional[str] = None,
    resamples: int = 2000,
    seed: int = 0,
    images: Sequence[NamedImage] = (),
    bpp: Optional[float] = None,
) -> str:
    """Compares codecs by BD-rate and writes what there is to say.

    ``output`` receives ``comparison.md`` and ``.json``, ``comparison.png`` and ``.svg``,
    ``report.html`` and, with ``images``, ``crops.png`` and ``.svg``.

    Args:
        results: run directories, results files, and patterns of both.
        anchor: curve to compare with.
        output: folder of the files.
        quantizers: folder of the configured quantizers, which name the runs' curves.
        ignored: settings that may differ among the runs of a curve, besides lmbda and seed.
        load_codec: loads the codec of a run directory; called for crops.
        only: curves to keep besides the anchor, separated by commas; None keeps all.
        dataset: whose results to take from run directories.
        metric: key of the quality to compare; None for the first of the medium.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        images: originals whose crops are shown.
        bpp: rate of the crops, bits per pixel; None: the middle of what all ranked curves have.

    Returns:
        The table with its notes, and the names of the files written.

    Raises:
        ValueError: the results cannot be compared, or form fewer than two curves.
        FileNotFoundError: an argument matches nothing.
    """
    check_resamples(resamples)
    if seed < 0:
        raise ValueError(f"seed={seed} must not be negative.")
    found = find_results(results, dataset)
    measurements, unusable = read_measurements(found.files)
    groups = group_results(measurements, quantizers, ignored)
    groups = select_groups(groups, anchor, only, list(unusable.values()))
    medium = groups[anchor][0].results.medium
    chosen = medium.metrics[0] if metric is None else METRICS[metric]
    curves = comparable_curves(groups, chosen, anchor)
    reference = curves.ranked[anchor]
    grid = np.linspace(reference.quality[0], reference.quality[-1], GRID)
    bootstrap = {"resamples": resamples, "seed": seed}
    rows, apart = rank(reference, list(curves.ranked.values()), grid, **bootstrap)
    unranked = [*apart, *curves.unranked, *(Unranked(*each) for each in unusable.items())]
    if len(rows) < 2:
        raise ValueError(unranked[0].reason)
    metrics, lacking = _in_all_metrics(groups, reference, curves.drawn)
    remarks = notes(reference, rows, dataset=dataset, resamples=resamples)
    remarks += [*lacking, *_left_out(found, dataset)]
    crops = []
    if images:
        bpp = common_rate([row.curve for row in rows]) if bpp is None else bpp
        crops, missing = crops_at(groups, images, bpp, load_codec)
        remarks += [f"Crops: the coded files nearest to {bpp:.3f} bpp.", *missing]
    text = f"{table(reference, rows, unranked)}\n\n" + "\n".join(f"- {each}" for each in remarks)
    title = _dataset_title(list(curves.ranked.values()), dataset)

    # Names are whatever results files say, and Markdown may hold HTML, links and images.
    markdown = html.escape(text, quote=False).replace("[", "\\[")
    write_atomically(output / "comparison.md", (markdown + "\n").encode())
    document = record(reference, rows, unranked, remarks, **bootstrap)
    encoded = json.dumps(document, indent=2, allow_nan=False) + "\n"
    write_atomically(output / "comparison.json", encoded.encode())
    compared = [
        Compared(row.curve, row.at, row.interval and row.interval.band)
        for row in rows
        if row.curve is not reference
    ]
    nowhere = np.full(len(grid), np.nan)
    compared += [Compared(each.curve, nowhere, None) for each in unranked if each.curve is not None]
    write_comparison(output / "comparison.png", reference, compared, grid, dataset=title)
    write_page(
        output / "report.html",
        reference,
        rows,
        unranked,
        remarks,
        dataset=title,
        metrics=metrics,
        provenance={"this comparison": provenance(), **sources_of(groups)},
        crops=crops,
        recordings=recordings_of(groups),
    )
    written = f"{output / 'comparison'}.md, .json, .png, .svg and report.html"
    if crops:
        write_crops(output / "crops.png", crops)
        written += ", crops.png, .svg"
    return f"{text}\n\nwrote {written}"


def _in_all_metrics(
    groups: Groups, anchor: Curve, drawn: Dict[str, Curve]
) -> Tuple[Dict[str, List[Curve]], List[str]]:
    """Label -> the curves in each metric that the anchor has, its own first; and remarks."""
    found, remarks = {anchor.metric.label: list(drawn.values())}, []
    for metric in anchor.metric.medium.metrics:
        if metric is not anchor.metric:
            try:
                others = comparable_curves(groups, metric, anchor.name).drawn.values()
            except ValueError:
                continue  # The page offers one metric fewer.
            found[metric.label] = list(others)
            remarks += points_left_out(found[metric.label])
    return found, remarks


def _left_out(found: Found, dataset: str) -> List[str]:
    """What was given and is in no curve."""
    kinds = {
        "Skipped, because not JSON": [path.name for path in found.skipped],
        f"Runs without results on {dataset}": [path.name for path in found.unmeasured],
    }
    return [
        f"{what}: {', '.join(names[:3])}" + (f" and {len(names) - 3} more." if names[3:] else ".")
        for what, names in kinds.items()
        if names
    ]


def _dataset_title(curves: Sequence[Curve], default: str) -> str:
    datasets = [curve.dataset for curve in curves if curve.dataset is not None]
    return f"{datasets[0].name} ({datasets[0].files} files)" if datasets else default
