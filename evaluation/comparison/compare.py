"""The whole comparison: results files in; table, JSON, figures and report page out."""

from __future__ import annotations

import html
import json
import pathlib
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from codec.file_codec import FileCodec
from evaluation.comparison.curves import Curve, comparable_curves, default_metric
from evaluation.comparison.grouping import Groups, group_results, select_groups
from evaluation.comparison.intervals import check_resamples
from evaluation.comparison.measurements import find_results, read_measurement
from evaluation.comparison.notes import notes
from evaluation.comparison.page.crops import crops_at
from evaluation.comparison.page.document import write_page
from evaluation.comparison.page.recordings import recordings_of
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
    bpp: float = 0.5,
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
        bpp: rate of the crops, bits per pixel.

    Returns:
        The table with its notes, and the names of the files written.

    Raises:
        ValueError: the results cannot be compared, or form fewer than two curves.
        FileNotFoundError: an argument matches nothing.
    """
    check_resamples(resamples)
    if seed < 0:
        raise ValueError(f"seed={seed} must not be negative.")
    files, skipped = find_results(results, dataset)
    groups = group_results([read_measurement(file) for file in files], quantizers, ignored)
    groups = select_groups(groups, anchor, only)
    default = default_metric(groups)
    curves = comparable_curves(groups, default if metric is None else METRICS[metric])
    reference = curves[anchor]
    grid = np.linspace(reference.quality[0], reference.quality[-1], GRID)
    bootstrap = {"resamples": resamples, "seed": seed}
    rows, refused = rank(reference, list(curves.values()), grid, **bootstrap)
    remarks = notes(reference, rows, dataset=dataset, resamples=resamples)
    remarks += [f"Not ranked: {reason}" for reason in refused.values()]
    if skipped:
        names = ", ".join(path.name for path in skipped[:3])
        more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        remarks.append(f"Skipped, because not JSON: {names}{more}.")
    text = f"{table(reference, rows)}\n\n" + "\n".join(f"- {remark}" for remark in remarks)
    crops = crops_at(groups, images, bpp, load_codec) if images else []
    title = _dataset_title(list(curves.values()), dataset)

    # Names are whatever results files say, and Markdown may hold HTML.
    markdown = html.escape(text, quote=False)
    write_atomically(output / "comparison.md", (markdown + "\n").encode())
    document = json.dumps(record(reference, rows, remarks, **bootstrap), indent=2, allow_nan=False)
    write_atomically(output / "comparison.json", (document + "\n").encode())
    compared = [
        Compared(row.curve, row.at, row.interval and row.interval.band)
        for row in rows
        if row.curve is not reference
    ]
    nowhere = np.full(len(grid), np.nan)
    compared += [Compared(curves[name], nowhere, None) for name in refused]
    write_comparison(output / "comparison.png", reference, compared, grid, dataset=title)
    write_page(
        output / "report.html",
        reference,
        rows,
        remarks,
        dataset=title,
        metrics=_in_all_metrics(groups, curves),
        provenance=_provenance(groups),
        crops=crops,
        recordings=recordings_of(groups),
    )
    written = f"{output / 'comparison'}.md, .json, .png, .svg and report.html"
    if crops:
        write_crops(output / "crops.png", crops)
        written += ", crops.png, .svg"
    return f"{text}\n\nwrote {written}"


def _in_all_metrics(groups: Groups, curves: Dict[str, Curve]) -> Dict[str, List[Curve]]:
    """Label -> the curves in a metric of their medium that all of them have, theirs first."""
    own = next(iter(curves.values())).metric
    found = {own.label: list(curves.values())}
    for metric in own.medium.metrics:
        if metric is not own:
            try:
                found[metric.label] = list(comparable_curves(groups, metric).values())
            except ValueError:
                continue  # The page offers one metric fewer.
    return found


def _provenance(groups: Groups) -> Dict[str, Any]:
    """What each results file states about itself."""
    found: Dict[str, Any] = {"this comparison": provenance()}
    for name, members in groups.items():
        for each in members:
            results = each.results
            known = {"description": results.description, "metrics": results.metrics}
            found[f"{name}: {each.source}"] = {**known, **results.provenance}
    return found


def _dataset_title(curves: Sequence[Curve], default: str) -> str:
    datasets = [curve.dataset for curve in curves if curve.dataset is not None]
    return f"{datasets[0].name} ({datasets[0].files} files)" if datasets else default
