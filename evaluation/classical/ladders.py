"""Rate-distortion curves of classical codecs: measured, written, and kept for the next report."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import hashlib
import multiprocessing
import os
import pathlib
import signal
from typing import Any, Callable, Iterable, Iterator, List, Optional, Sequence

import numpy as np

from evaluation.classical.codec import ClassicalCodec
from evaluation.classical.matches import measure_ladder
from evaluation.media import Row
from evaluation.metrics.metric import is_installed
from evaluation.metrics.speech import has_pesq
from evaluation.provenance import provenance
from evaluation.results import Dataset, Results, read_results, write_results
from signals.files import write_table

LADDERS = pathlib.Path("build/classical")
"""Where curves are kept, as files in the exchange schema."""


def kept_ladder(
    codec: ClassicalCodec,
    files: Callable[[], Iterator[Any]],
    dataset: Dataset,
    folder: pathlib.Path = LADDERS,
) -> Results:
    """A codec's curve on a dataset: from its file in ``folder``, or else measured and kept there.

    Args:
        codec: of the files' medium.
        files: yields the dataset's images or recordings; not called if the curve is kept.
        dataset: of these files.
        folder: of the curves; created if missing.

    Raises:
        CannotCode: the format cannot hold a file.
    """
    settings = (dataset.sha256, codec.description, codec.ladder, has_pesq())
    key = hashlib.sha256(repr(settings).encode()).hexdigest()[:12]
    path = folder / f"{dataset.name}-{codec.name}-{key}.json"
    kept = read_curve(codec, dataset, path)
    if kept is not None:
        return kept
    measured = curve_of_rows(codec, measure_rows(codec, files()), dataset=dataset.name)
    write_results(measured, path)
    return measured


def read_curve(codec: ClassicalCodec, dataset: Dataset, path: pathlib.Path) -> Optional[Results]:
    """The curve in a results file, if measuring would give the same.

    Returns:
        None if the file is missing or damaged, if its dataset, the codec's ladder, its options or
        the version of its library differ, or if it lacks a metric or has another of that name.
    """
    try:
        results = read_results(path)
    except (OSError, ValueError):
        return None
    same = (
        results.dataset is not None
        and results.dataset.sha256 == dataset.sha256
        and results.description == codec.description
        and results.provenance.get("qualities") == list(codec.ladder)
        and all(
            results.metrics.get(metric.key) == metric.definition for metric in codec.medium.metrics
        )
        and not any(
            is_installed(package)
            for package in _packages(codec)
            if package in results.provenance.get("missing_packages", ())
        )
    )
    return results if same else None


def measure_rows(
    codec: ClassicalCodec,
    files: Iterable[Any],
    *,
    processes: int = 1,
    progress: Callable[[int, Row], None] = lambda count, row: None,
) -> List[Row]:
    """Measures every file at every setting of the codec's ladder.

    Args:
        codec: of the files' medium.
        files: named images or recordings; read once, one at a time.
        processes: number of files measured in parallel.
        progress: called with the number of files done and the last row.

    Returns:
        Rows by setting, then by file.

    Raises:
        CannotCode: the format cannot hold a file.
    """
    measure = functools.partial(measure_ladder, codec)
    by_file = []
    with contextlib.ExitStack() as stack:
        measured = map(measure, files)
        if processes > 1:
            stack.enter_context(_one_thread_each())
            # Spawned, because TensorFlow's threads do not survive a fork.
            context = multiprocessing.get_context("spawn")
            executor = concurrent.futures.ProcessPoolExecutor(processes, context, _prepare_worker)
            # On Ctrl-C, closing cancels the files that have not begun.
            measured = stack.enter_context(executor).map(measure, files)
            stack.enter_context(contextlib.closing(measured))
        for count, rows in enumerate(measured, start=1):
            by_file.append(rows)
            progress(count, rows[-1])
    return [row for rows in zip(*by_file) for row in rows]


def curve_of_rows(codec: ClassicalCodec, rows: Sequence[Row], *, dataset: str) -> Results:
    """The curve of measured rows: means over files, with settings in order of appearance.

    Audio has the rate of whole files as ``kbps`` and that of their packets as ``kbps-packets``.
    """
    medium = codec.medium
    at = {}
    for row in rows:
        at.setdefault(row["quality"], []).append(row)
    columns = {**medium.points, f"{medium.rate}-packets": f"{medium.rate}_packets"}
    missing = [package for package in _packages(codec) if not is_installed(package)]
    return Results(
        name=codec.name,
        description=codec.description,
        points={
            quantity: [
                medium.mean_of_values(quantity, np.array([row[column] for row in point]))
                for point in at.values()
            ]
            for quantity, column in columns.items()
            if column in rows[0]
        },
        dataset=Dataset.from_digests(dataset, [row["sha256"] for row in next(iter(at.values()))]),
        provenance={
            "qualities": list(at),
            "codec": {"options": dict(codec.options), "versions": codec.versions()},
            **({"missing_packages": missing} if missing else {}),
        },
    )


def write_curve(
    codec: ClassicalCodec, rows: Sequence[Row], path: pathlib.Path, *, dataset: str
) -> Results:
    """Writes the curve of measured rows as JSON (the exchange schema), and the rows as CSV."""
    results = curve_of_rows(codec, rows, dataset=dataset)
    results.provenance.update(provenance())
    write_table(path.with_suffix(".csv"), rows[0], rows)
    write_results(results, path)
    return results


def _packages(codec: ClassicalCodec) -> List[str]:
    """Optional packages that the medium's metrics need."""
    names = (metric.package for metric in codec.medium.metrics if metric.package)
    return list(dict.fromkeys(names))


def _prepare_worker() -> None:
    """Ctrl-C is left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """One core for each process that starts meanwhile, whatever starts TensorFlow there."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
