"""Compares codecs by BD-rate, with confidence intervals: table, JSON, figures and page.

python scripts/compare.py runs/compare-* --anchor uniform_noise
python scripts/compare.py jpeg.json webp.json 'runs/compare-*' --anchor JPEG

Takes run directories that evaluate.py measured, results files (ours or published) and patterns of
both. Runs that differ in lmbda and seed alone are one curve, named after its quantizer.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import pathlib
from typing import Dict, List, Optional, Sequence

import numpy as np

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

from assembly.user_errors import one_line_errors
from data.image_folder import ImageFolder
from evaluation.comparison.bd_rate import TooLittleOverlap, check_curve
from evaluation.comparison.crops import crops_at
from evaluation.comparison.curve_groups import group_runs, is_run
from evaluation.comparison.curves import (
    METRICS,
    Curve,
    Metric,
    check_same_images,
    check_same_metric,
    curve_of_file,
    curve_of_runs,
)
from evaluation.comparison.intervals import MINIMUM_RESAMPLES
from evaluation.comparison.measurements import Measurement, find_results, read_measurement
from evaluation.comparison.ranking import compare_with_anchor, notes, record, table
from evaluation.comparison.recordings import sounds_of
from evaluation.comparison.report_page import write_page
from evaluation.figures.crops import write_crops
from evaluation.figures.curves import Compared, write_comparison
from evaluation.provenance import provenance
from signals.files import write_atomically

GRID = 200
"""Qualities at which the figure draws differences in rate."""

CROPPED_IMAGES = 3
"""How many of ``--images`` the page and the figure show."""


def main() -> None:
    """Reads, compares, prints and writes."""
    parser = argparse.ArgumentParser(description="Compare codecs by BD-rate with intervals.")
    parser.add_argument("results", nargs="+", help="run directories, results files, patterns")
    parser.add_argument("--anchor", required=True, metavar="NAME", help="curve to compare with")
    parser.add_argument("--only", metavar="NAME,NAME", help="these curves alone, and the anchor")
    parser.add_argument("--dataset", default="kodak", metavar="NAME", help="results of runs on it")
    parser.add_argument(
        "--metric",
        choices=list(METRICS),
        help="default: psnr-rgb of images, si-sdr of sound",
    )
    parser.add_argument("--resamples", type=int, default=2000, metavar="N", help="of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the bootstrap")
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path("build/comparison"), metavar="FOLDER"
    )
    parser.add_argument("--images", metavar="FOLDER", help="originals: crops of 3 are shown")
    parser.add_argument("--bpp", type=float, default=0.5, metavar="RATE", help="of the crops")
    arguments = parser.parse_args()
    with one_line_errors():
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """The whole comparison.

    Raises:
        ValueError: the results cannot be compared, or there are not two curves of them.
        FileNotFoundError: an argument names nothing.
    """
    if arguments.resamples < MINIMUM_RESAMPLES:
        raise ValueError(f"--resamples {arguments.resamples} must be at least {MINIMUM_RESAMPLES}.")
    if arguments.seed < 0:
        raise ValueError(f"--seed {arguments.seed} must not be negative.")
    files, left_out = find_results(arguments.results, arguments.dataset)
    groups = _chosen(_grouped([read_measurement(file) for file in files]), arguments)
    curves = _curves(groups, _metric(groups, arguments.metric))
    anchor = curves[arguments.anchor]
    grid = np.linspace(anchor.quality[0], anchor.quality[-1], GRID)
    bootstrap = {"resamples": arguments.resamples, "seed": arguments.seed}
    rows, refused = _ranked(anchor, curves, grid, **bootstrap)
    said = notes(anchor, rows, dataset=arguments.dataset, resamples=arguments.resamples)
    said += [f"Not ranked: {reason}" for reason in refused.values()]
    if left_out:
        names = ", ".join(path.name for path in left_out[:3])
        more = f" and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        said.append(f"Left out, being no JSON: {names}{more}.")
    text = f"{table(anchor, rows)}\n\n" + "\n".join(f"- {note}" for note in said)
    folder = arguments.output
    dataset = _dataset_name(curves.values(), arguments.dataset)
    write_atomically(folder / "comparison.md", (text + "\n").encode())
    document = json.dumps(record(anchor, rows, said, **bootstrap), indent=2, allow_nan=False)
    write_atomically(folder / "comparison.json", (document + "\n").encode())
    compared = [
        Compared(row.curve, row.at, row.interval and row.interval.band)
        for row in rows
        if row.curve is not anchor
    ]
    nowhere = np.full(len(grid), np.nan)
    compared += [Compared(curves[name], nowhere, None) for name in refused]
    write_comparison(folder / "comparison.png", anchor, compared, grid, dataset=dataset)
    metrics = {
        anchor.metric.label: list(curves.values()),
        **_other_metrics(groups, anchor.metric),
    }
    crops = _crops(groups, arguments)
    write_page(
        folder / "report.html", anchor, rows, said, dataset=dataset, metrics=metrics,
        made=_how_made(groups), crops=crops, sounds=sounds_of(groups),
    )  # fmt: skip
    written = f"{folder / 'comparison'}.md, .json, .png, .svg and report.html"
    if crops:
        write_crops(folder / "crops.png", crops)
        written += ", crops.png, .svg"
    print(f"{text}\n\nwrote {written}")


def _ranked(anchor: Curve, curves: Dict[str, Curve], grid: np.ndarray, **bootstrap):
    """Rows, fewest bits first, and of the curves that have no BD-rate the reasons.

    One quantizer that fails must not take the table from all others.

    Raises:
        TooLittleOverlap: no curve compares with the anchor.
    """
    rows, refused = [], {}
    for name, curve in curves.items():
        try:
            rows.append(compare_with_anchor(anchor, curve, grid, **bootstrap))
        except TooLittleOverlap as error:
            refused[name] = str(error)
    if len(rows) < 2:
        raise TooLittleOverlap(next(iter(refused.values())))
    return sorted(rows, key=lambda row: row.bd_rate), refused


def _grouped(measurements: Sequence[Measurement]) -> Dict[str, List[Measurement]]:
    """Name of a curve -> the runs, or the one file, that it is made of."""
    groups = group_runs([each for each in measurements if is_run(each)])
    whole = [each for each in measurements if not is_run(each)]
    # Lists of names are split at commas.
    names = [each.results.name.replace(",", ";") for each in whole]
    taken = collections.Counter([*names, *groups])
    for name, each in zip(names, whole):
        unique = name if taken[name] == 1 else f"{name} ({each.path})"
        groups[unique.replace(",", ";")] = [each]
    return groups


def _chosen(groups, arguments):
    choices = ", ".join(groups) or "none"
    wanted = {"--anchor": [arguments.anchor]}
    if arguments.only is not None:
        wanted["--only"] = [name.strip() for name in arguments.only.split(",")]
    for option, names in wanted.items():
        for name in names:
            if name not in groups:
                raise ValueError(f"{option} {name!r} must be one of the curves: {choices}.")
    if arguments.only is not None:
        kept = {arguments.anchor, *wanted["--only"]}
        groups = {name: members for name, members in groups.items() if name in kept}
    if len(groups) < 2:
        raise ValueError(
            f"a comparison needs at least 2 curves, got {', '.join(groups)} "
            f"({sum(map(len, groups.values()))} results)."
        )
    return groups


def _metric(groups: Dict[str, List[Measurement]], key: Optional[str]) -> Metric:
    """The metric asked for, or the first of what the results are of."""
    media = {name: members[0].results.medium for name, members in groups.items()}
    first, medium = next(iter(media.items()))
    for name, other in media.items():
        if other is not medium:
            raise ValueError(
                f"curve {first!r} is of {medium.files} (rate in {medium.rate}) and curve {name!r} "
                f"of {other.files} ({other.rate}): they cannot be compared."
            )
    if key is not None:
        return METRICS[key]
    return next(metric for metric in METRICS.values() if metric.medium is medium)


def _curves(groups: Dict[str, List[Measurement]], metric: Metric) -> Dict[str, Curve]:
    curves = {}
    for name, members in groups.items():
        make = curve_of_runs if is_run(members[0]) else lambda n, m, k: curve_of_file(n, m[0], k)
        curves[name] = make(name, members, metric)
    check_same_images([(f"curve {name!r}", curve.dataset) for name, curve in curves.items()])
    check_same_metric(
        metric, {f"curve {name!r}": curve.definition for name, curve in curves.items()}
    )
    for name, curve in curves.items():
        units = {"rate_unit": metric.medium.rate, "unit": metric.unit}
        check_curve(name, curve.rates, curve.quality, **units)
    return curves


def _other_metrics(groups: Dict[str, List[Measurement]], known: Metric) -> Dict[str, List[Curve]]:
    """The same curves in the medium's other qualities, where all of them have such."""
    others = {}
    for metric in METRICS.values():
        if metric is not known and metric.medium is known.medium:
            try:
                others[metric.label] = list(_curves(groups, metric).values())
            except ValueError:
                continue  # The ranking does not need it: the page offers one quality fewer.
    return others


def _crops(groups: Dict[str, List[Measurement]], arguments: argparse.Namespace):
    if arguments.images is None:
        return []
    images = ImageFolder(root=arguments.images).images("all")
    return crops_at(groups, list(itertools.islice(images, CROPPED_IMAGES)), arguments.bpp)


def _how_made(groups: Dict[str, List[Measurement]]) -> Dict[str, object]:
    """What each results file says of its making."""
    made = {"this comparison": provenance()}
    for name, members in groups.items():
        for each in members:
            results = each.results
            known = {"description": results.description, "metrics": results.metrics}
            made[f"{name}: {each.source}"] = {**known, **results.provenance}
    return made


def _dataset_name(curves, default: str) -> str:
    datasets = [curve.dataset for curve in curves if curve.dataset is not None]
    return f"{datasets[0].name} ({datasets[0].files} files)" if datasets else default


if __name__ == "__main__":
    main()
