"""The whole comparison: results files in; tables, JSON, figures and report page out."""

from __future__ import annotations

import pathlib
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from codec.file_codec import FileCodec
from evaluation.comparison.bd_rate import MINIMUM_POINTS
from evaluation.comparison.bootstrap import check_resamples
from evaluation.comparison.by_loss import rank_by_loss
from evaluation.comparison.comparable import Unranked, comparable_curves, curve_of
from evaluation.comparison.contrasts import (
    HALF_WIDTH,
    check_pairs,
    contrast_cells,
    contrast_notes,
    contrast_records,
    contrasts_of,
    part_cells,
)
from evaluation.comparison.curves import Curve
from evaluation.comparison.export import documents, markdown_table, remove_others
from evaluation.comparison.grouping import Groups, group_results, select_groups
from evaluation.comparison.measurements import (
    Found,
    Measurement,
    find_results,
    read_measurements,
)
from evaluation.comparison.notes import notes, points_left_out
from evaluation.comparison.page.crops import common_rate, crops_at
from evaluation.comparison.page.document import write_page
from evaluation.comparison.page.recordings import recordings_of
from evaluation.comparison.page.sources import differences_between, shared_by
from evaluation.comparison.ranking import Row, rank, ranking_cells, record
from evaluation.figures.crops import write_crops
from evaluation.figures.curves import Compared, write_comparison
from evaluation.figures.profile import write_profile
from evaluation.metrics import METRICS
from evaluation.provenance import provenance
from evaluation.results import Results
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
    contrasts: Sequence[Sequence[str]] = (),
    half_width: float = HALF_WIDTH,
) -> str:
    """Compares codecs by BD-rate and writes what there is to say.

    Runs that have too few points for BD-rates are ranked by their loss at equal lmbda instead, with
    other files and no page, see `by_loss.rank_by_loss`.

    ``output`` receives ``comparison`` as ``.md``, ``.json``, ``.csv``, ``.tex``, ``.png`` and
    ``.svg``, ``report.html``, with per-file rows ``files.csv``, ``contrasts.csv`` and ``profile``
    as ``.png`` and ``.svg`` and, with ``images``, ``crops.png`` and ``.svg``. Those of an earlier
    comparison that this one does not write are deleted.

    Args:
        results: run directories, results files, and patterns of both.
        anchor: curve to compare with.
        output: folder of the files.
        quantizers: folder of the configured quantizers, which name the runs' curves.
        ignored: settings that may differ among the runs of a curve, besides lmbda and seed.
        load_codec: loads the codec that wrote the files of a results file; called for crops.
        only: curves to keep besides the anchor, separated by commas; None keeps all.
        dataset: whose results to take from run directories.
        metric: key of the quality to compare; None for the first of the medium.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        images: originals whose crops are shown.
        bpp: rate of the crops, bits per pixel; None: the middle of what all ranked curves have.
        contrasts: pairs of curves to test, the second being the anchor of the first; none tests
            every curve against ``anchor``.
        half_width: of the intervals for which the seeds still needed are counted, percent.

    Returns:
        The table with its notes, and the names of the files written.

    Raises:
        ValueError: the results cannot be compared, or form fewer than two curves.
        FileNotFoundError: an argument matches nothing.
    """
    check_resamples(resamples)
    if seed < 0:
        raise ValueError(f"seed={seed} must not be negative.")
    if not half_width > 0:
        raise ValueError(f"half_width={half_width:g} must be above 0 (percent).")
    found = find_results(results, dataset)
    measurements, unusable = read_measurements(found.files)
    unreadable = [Unranked(*each) for each in unusable.items()]
    groups = group_results(measurements, quantizers, ignored)
    unmeasured = [
        f"{run} has {known}, not on dataset={dataset!r}." for run, known in found.unmeasured.items()
    ]
    groups = select_groups(groups, anchor, only, [*unusable.values(), *unmeasured])
    check_pairs(contrasts, list(groups))
    medium = groups[anchor][0].results.medium
    chosen = medium.metrics[0] if metric is None else METRICS[metric]
    bootstrap = {"resamples": resamples, "seed": seed}
    try:
        curves = comparable_curves(groups, chosen, anchor)
    except ValueError as error:
        # Raises the same error again, if it is of anything but the points.
        alone = curve_of(anchor, groups[anchor], chosen)
        if len(alone.rates) + alone.left_out >= MINIMUM_POINTS:
            raise
        pairs = contrasts or [(name, anchor) for name in groups if name != anchor]
        tested = contrasts_of(pairs, groups, {}, **bootstrap)
        if not tested.tested:
            raise ValueError(f"{error} {tested.untested[0]}") from error
        return rank_by_loss(
            groups, anchor, tested, metric=chosen, reason=str(error), half_width=half_width,
            dataset=dataset, output=output, unusable=unreadable,
            left_out=_left_out(found, dataset), has_images=bool(images),
        )  # fmt: skip
    reference = curves.ranked[anchor]
    grid = np.linspace(reference.quality[0], reference.quality[-1], GRID)
    rows, apart = rank(reference, list(curves.ranked.values()), grid, **bootstrap)
    unranked = [*apart, *curves.unranked, *unreadable]
    if len(rows) < 2:
        raise ValueError(unranked[0].reason)
    metrics, lacking = _in_all_metrics(groups, reference, curves.drawn)
    pairs = contrasts or [(name, anchor) for name in _in_order(rows, groups) if name != anchor]
    tested = contrasts_of(pairs, groups, curves.ranked, **bootstrap)
    remarks = notes(reference, rows, dataset=dataset, resamples=resamples)
    remarks += [*contrast_notes(tested, half_width), *lacking, *_left_out(found, dataset)]
    crops = []
    if images:
        bpp = common_rate([row.curve for row in rows]) if bpp is None else bpp
        crops, missing = crops_at(groups, images, bpp, load_codec)
        remarks += [f"Crops: the coded files nearest to {bpp:.3f} bpp.", *missing]
    tables = {f"Codecs compared with {anchor}": ranking_cells(reference, rows, unranked)}
    if tested.tested:
        tables["Contrasts"] = contrast_cells(tested.tested, half_width)
    if tested.parts:
        tables["Loss at equal lmbda, difference in percent"] = part_cells(tested.parts)
    text = "\n\n".join(markdown_table(*each) for each in tables.values())
    text += "\n\n" + "\n".join(f"- {each}" for each in remarks)
    title = _dataset_title([each for name in curves.ranked for each in groups[name]], dataset)

    document = record(reference, rows, unranked, remarks, **bootstrap)
    document["contrasts"] = contrast_records(tested, half_width)
    of_files = {row.curve.name: row.by_file for row in rows if row.by_file is not None}
    written = documents(text, tables, document, _file_records(reference, of_files))
    for name, content in written.items():
        write_atomically(output / name, (content.rstrip("\n") + "\n").encode())
    if of_files:
        write_profile(output / "profile.png", reference, of_files, dataset=title)
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
        provenance={"this comparison": provenance(), "all results": shared_by(groups)},
        differences=differences_between(groups),
        contrasts=list(tables.values())[1:],
        files=of_files,
        crops=crops,
        recordings=recordings_of(groups),
    )
    names = [*written, "comparison.png", "comparison.svg", "report.html"]
    names += ["profile.png", "profile.svg"] if of_files else []
    if crops:
        write_crops(output / "crops.png", crops)
        names += ["crops.png", "crops.svg"]
    remove_others(output, names)
    return f"{text}\n\nwrote to {output}: {', '.join(names)}"


def _in_order(rows: Sequence[Row], groups: Groups) -> List[str]:
    """Names of curves: those that are ranked, and the others."""
    return list(dict.fromkeys([*(row.curve.name for row in rows), *groups]))


def _file_records(anchor: Curve, of_files) -> List[Dict[str, Any]]:
    """One record for each file: its BD-rate for each curve, percent; none where it has none."""
    percents = {name: each.percents for name, each in of_files.items()}
    if not percents:
        return []
    return [
        {
            "file": anchor.file_names[k],
            **{key: float(of[k]) if np.isfinite(of[k]) else None for key, of in percents.items()},
        }
        for k in np.argsort(anchor.file_names)
    ]


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


def _dataset_title(measured: Sequence[Measurement], default: str) -> str:
    """Name and number of the files; all are the same, whatever else names of results tell."""
    known = [each.results for each in measured if each.results.dataset is not None]
    if not known:
        return default
    names = [_without_quality(each) for each in known]
    return f"{min(names, key=len)} ({known[0].dataset.files} files)"


def _without_quality(results: Results) -> str:
    quality, name = results.provenance.get("quality"), results.dataset.name
    return name.replace(f"-q{quality:g}", "") if isinstance(quality, (int, float)) else name
