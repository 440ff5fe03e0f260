"""Finds results files and reads them, with their per-file rows."""

from __future__ import annotations

import csv
import pathlib
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from evaluation.results import Dataset, Results, read_results
from signals.files import matching_paths

# Means recomputed from the rows differ in the order of summation at most.
_TOLERANCE = 1e-9


class FileRows(NamedTuple):
    """What was measured of each image or recording, ordered by digest so that results line up.

    Attributes:
        digests: SHA-256 of the originals, sorted.
        values: the rate, and each metric and ``loss`` that the CSV has -> float64 [files].
        names: of the files.
    """

    digests: Tuple[str, ...]
    values: Dict[str, np.ndarray]
    names: Tuple[str, ...] = ()


class Measurement(NamedTuple):
    """A results file.

    Attributes:
        path: the JSON file.
        source: the run's or the file's name, for messages and records.
        results: its operating points, one or more.
        rows: of its files, for each point; empty without a CSV beside it.
    """

    path: pathlib.Path
    source: str
    results: Results
    rows: Tuple[FileRows, ...] = ()

    @property
    def rates(self) -> List[float]:
        """Of the operating points."""
        return self.results.points[self.results.medium.rate]

    @property
    def config(self) -> Mapping[str, Any]:
        """The run's configuration; empty for a curve."""
        config = self.results.provenance.get("config", {})
        kinds = {"lmbda": (int, float), "seed": int, "quantizer": dict}
        known = all(isinstance(config.get(key), kind) for key, kind in kinds.items())
        return config if known and len(self.rates) == 1 else {}

    @property
    def is_run(self) -> bool:
        """Whether the results are of one trained run, not of a whole curve."""
        return bool(self.config)

    @property
    def commit(self) -> str:
        """The project's version that measured it, with ``+`` if files had been changed."""
        git = self.results.provenance.get("git") or {}
        return f"{str(git.get('commit', 'unknown'))[:12]}{'+' if git.get('dirty') else ''}"


class Found(NamedTuple):
    """What patterns of results match.

    Attributes:
        files: the JSON files, each once.
        skipped: files that are not JSON: a pattern also matches logs.
        unmeasured: directories without results on the dataset -> what they have.
    """

    files: List[pathlib.Path]
    skipped: List[pathlib.Path]
    unmeasured: Dict[pathlib.Path, str]


def find_results(patterns: Sequence[str], dataset: str) -> Found:
    """Finds the results files in run directories, by path or by pattern.

    Args:
        patterns: paths or shell-style patterns (``runs/compare-*``).
        dataset: whose results to take from a run directory: those at its qualities, where a run for
            every rate has such, or else the one file.

    Raises:
        FileNotFoundError: a pattern matches nothing.
        ValueError: nothing but directories without results on the dataset was found.
    """
    found: Dict[pathlib.Path, pathlib.Path] = {}
    skipped, unmeasured = [], {}
    for pattern in patterns:
        paths = matching_paths(pattern)
        if not paths:
            raise FileNotFoundError(f"{pattern!r} names no run directory and no results file.")
        for path in paths:
            if path.is_file() and path.suffix != ".json":
                skipped.append(path)
                continue
            files = [path] if path.is_file() else _results_on(dataset, path / "results")
            found.update({file.resolve(): file for file in files if file.resolve() not in found})
            if not files:
                others = sorted(other.stem for other in (path / "results").glob("*.json"))
                unmeasured[path] = (
                    f"results only on {', '.join(others)}" if others else "no results"
                )
    if unmeasured and not found:
        run, known = next(iter(unmeasured.items()))
        raise ValueError(
            f"run {str(run)!r} has {known}, not on dataset={dataset!r}: measure it with "
            "evaluate.py, or choose another with --dataset."
        )
    return Found(list(found.values()), skipped, unmeasured)


def _results_on(dataset: str, folder: pathlib.Path) -> List[pathlib.Path]:
    """A run's results on a dataset: one file for each quality, or the one file, or none."""
    # Not other files of that name, as kodak-q50-first3: evaluate.py wrote %g.
    at_quality = re.compile(re.escape(dataset) + r"-q[\d.]+(e-\d+)?")
    files = [file for file in sorted(folder.glob("*.json")) if at_quality.fullmatch(file.stem)]
    return files or [file for file in [folder / f"{dataset}.json"] if file.exists()]


def read_measurements(
    paths: Sequence[pathlib.Path],
) -> Tuple[List[Measurement], Dict[str, str]]:
    """Reads results files; of those that cannot be used, path -> reason."""
    measurements, unusable = [], {}
    for path in paths:
        try:
            measurements.append(read_measurement(path))
        except (OSError, ValueError) as error:
            unusable[str(path)] = str(error)
    return measurements, unusable


def read_measurement(path: pathlib.Path) -> Measurement:
    """Reads a results file and the CSV beside it.

    Raises:
        ValueError: a file does not follow its schema, or the JSON does not hold the means of the
            CSV's rows.
    """
    results = read_results(path)
    in_run = path.parent.name == "results"
    source = path.resolve().parent.parent.name if in_run else path.name
    table = path.with_suffix(".csv")
    # Only a digest shows that rows belong to the file.
    if results.dataset is None or not table.exists():
        return Measurement(path, source, results)
    try:
        with table.open(newline="") as file:
            records = list(csv.DictReader(file))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{table} is not a table of measured files: {error}") from error
    if len(results.points[results.medium.rate]) == 1:
        of_points = [records]
    else:
        settings = map(str, results.provenance.get("qualities", ()))
        of_points = [[r for r in records if r.get("quality") == setting] for setting in settings]
    rows = tuple(_rows(table, each, results, point) for point, each in enumerate(of_points))
    return Measurement(path, source, results, rows)


def _rows(
    path: pathlib.Path, records: List[Dict[str, str]], results: Results, point: int
) -> FileRows:
    medium = results.medium
    try:
        records = sorted(records, key=lambda record: (record["sha256"], record["file"]))
        # A metric that was added later has no column.
        columns = {**{key: medium.points[key] for key in medium.compared}, "loss": "loss"}
        values = {
            key: np.array([float(record[column]) for record in records])
            for key, column in columns.items()
            if key == medium.rate or all(column in record for record in records)
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a table of measured files: {error!r}") from error
    digests, names = (tuple(record[key] for record in records) for key in ("sha256", "file"))
    rows = FileRows(digests, values, names)
    _check_means(path, rows, results, point)
    return rows


def _check_means(path: pathlib.Path, rows: FileRows, results: Results, point: int) -> None:
    dataset = Dataset.from_digests(results.dataset.name, rows.digests)
    if dataset != results.dataset:
        raise ValueError(
            f"{path} holds {dataset.files} {results.medium.files} with digest "
            f"{dataset.sha256[:12]}, its JSON file {results.dataset.files} with "
            f"{results.dataset.sha256[:12]}: they must be the same."
        )
    for key, values in rows.values.items():
        stated = results.points[key][point] if key in results.points else np.nan
        mean = results.medium.mean_of_values(key, values)
        if np.isfinite(stated) and not np.isclose(mean, stated, rtol=_TOLERANCE, atol=0):
            raise ValueError(
                f"{path}: the mean {key} is {mean:.6g}, in its JSON file {stated:.6g}: they must "
                "be the same."
            )
