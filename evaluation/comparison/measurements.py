"""Finds results files in run directories and reads them together with their per-file rows."""

from __future__ import annotations

import csv
import glob
import pathlib
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from evaluation.media import Medium
from evaluation.results import Dataset, Results, read_results

# Means are recomputed from the rows, in another order of summation at most.
_TOLERANCE = 1e-9


class ImageRows(NamedTuple):
    """What was measured of each image or recording, in the order of the digests: rows line up.

    Attributes:
        digests: SHA-256 of the originals, sorted.
        values: the medium's ``compared`` quantities -> float64 [images].
    """

    digests: Tuple[str, ...]
    values: Dict[str, np.ndarray]


class Measurement(NamedTuple):
    """A results file.

    Attributes:
        path: the JSON file.
        source: what messages and records call it: the run's name, or the file's.
        results: its operating points, one or many.
        rows: of its images or recordings; None where there is no CSV beside it.
        point_rows: of a classical codec's curve, those of each point; empty as ``rows`` is None.
    """

    path: pathlib.Path
    source: str
    results: Results
    rows: Optional[ImageRows]
    point_rows: Tuple[ImageRows, ...] = ()


def find_results(
    words: Sequence[str], dataset: str
) -> Tuple[List[pathlib.Path], List[pathlib.Path]]:
    """The results files that run directories, files and shell-style patterns name, each once.

    Args:
        words: paths or patterns (``runs/compare-*``).
        dataset: whose results are taken of a run directory.

    Returns:
        The JSON files; and files that are no JSON (a pattern meets logs too), which are left out.

    Raises:
        FileNotFoundError: a word names nothing.
        ValueError: a directory has no results on the dataset.
    """
    found: Dict[pathlib.Path, pathlib.Path] = {}
    left_out = []
    for word in words:
        # A name with brackets in it is a path first, a pattern second.
        paths = [word] if pathlib.Path(word).exists() else sorted(glob.glob(word))
        if not paths:
            raise FileNotFoundError(f"{word!r} names no run directory and no results file.")
        for path in map(pathlib.Path, paths):
            if path.is_file() and path.suffix != ".json":
                left_out.append(path)
                continue
            file = path if path.is_file() else _results_of_run(path, dataset)
            found.setdefault(file.resolve(), file)
    return list(found.values()), left_out


def _results_of_run(run: pathlib.Path, dataset: str) -> pathlib.Path:
    file = run / "results" / f"{dataset}.json"
    if not file.exists():
        others = sorted(path.stem for path in (run / "results").glob("*.json"))
        has = f"only on {', '.join(others)}" if others else "on nothing"
        raise ValueError(
            f"run {str(run)!r} has results {has}, not on dataset={dataset!r}: "
            "evaluate.py measures it there, --dataset takes another."
        )
    return file


def read_measurement(path: pathlib.Path) -> Measurement:
    """Reads a results file and the CSV beside it.

    Raises:
        ValueError: a file does not follow its schema, or the CSV does not hold the rows that the
            JSON file is the mean of.
    """
    results = read_results(path)
    in_run = path.parent.name == "results"
    source = path.resolve().parent.parent.name if in_run else path.name
    table = path.with_suffix(".csv")
    rows, point_rows = None, ()
    # Without a digest the rows could not be told to be those of the file.
    if results.dataset is not None and table.exists():
        if len(results.points[results.medium.rate]) == 1:
            rows = _rows_of(table, _records(table), results.medium)
            _check_rows(table, rows, results)
        elif "qualities" in results.provenance:
            point_rows = _rows_of_points(table, results)
    return Measurement(path, source, results, rows, point_rows)


def _records(path: pathlib.Path) -> List[Dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _rows_of_points(path: pathlib.Path, results: Results) -> Tuple[ImageRows, ...]:
    """The rows of a classical codec's settings, in the order of the points."""
    records = _records(path)
    points = []
    for number, quality in enumerate(results.provenance["qualities"]):
        own = [record for record in records if record.get("quality") == str(quality)]
        points.append(_rows_of(path, own, results.medium))
        _check_rows(path, points[-1], results, number)
    return tuple(points)


def _rows_of(path: pathlib.Path, records: List[Dict[str, str]], medium: Medium) -> ImageRows:
    try:
        records.sort(key=lambda record: (record["sha256"], record["file"]))
        values = {
            quantity: np.array([float(record[medium.points[quantity]]) for record in records])
            for quantity in medium.compared
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a table of measured files: {error!r}") from error
    return ImageRows(tuple(record["sha256"] for record in records), values)


def _check_rows(path, rows, results, number=0):
    named = Dataset.from_digests(results.dataset.name, rows.digests)
    if named != results.dataset:
        raise ValueError(
            f"{path} holds {named.files} {results.medium.files} with digest {named.sha256[:12]}, "
            f"its JSON file {results.dataset.files} with {results.dataset.sha256[:12]}: they must "
            "be the same."
        )
    for quantity, values in rows.values.items():
        point = results.points[quantity][number] if quantity in results.points else np.nan
        mean = results.medium.mean_of_values(quantity, values)
        if np.isfinite(point) and not np.isclose(mean, point, rtol=_TOLERANCE, atol=0):
            raise ValueError(
                f"{path}: the mean {quantity} is {mean:.6g}, in its JSON file "
                f"{point:.6g}: they must be the same."
            )
