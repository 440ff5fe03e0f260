"""A classical codec's curve on a dataset as files, measured in several processes."""

from __future__ import annotations

import concurrent.futures
import csv
import io
import multiprocessing
import os
import pathlib
import signal
from typing import Callable, List, Optional, Sequence

from evaluation.classical.matches import CLASSICAL, ClassicalRow, curve_of_rows, measure_settings
from evaluation.measure import Image, pixel_digest
from evaluation.provenance import provenance
from evaluation.results import Dataset, Results, read_results, write_results
from signals.files import write_atomically


def kept_curve(codec: str, images: Sequence[Image], path: pathlib.Path) -> Optional[Results]:
    """The curve in a results file, if it is what measuring anew would give.

    Args:
        codec: key in ``CLASSICAL``.
        images: the dataset.
        path: the JSON file; it need not exist.

    Returns:
        The file's results; None where it was measured on other pixels, with other settings or
        another version of the encoder, or is not whole.
    """
    if not (path.exists() and path.with_suffix(".csv").exists()):
        return None
    try:
        results = read_results(path)
    except ValueError:
        return None
    dataset = Dataset.from_digests("", [pixel_digest(image.pixels) for image in images])
    same = (
        results.dataset is not None
        and results.dataset.sha256 == dataset.sha256
        and results.description == CLASSICAL[codec].description
        and results.provenance.get("qualities") == list(CLASSICAL[codec].ladder)
    )
    return results if same else None


def measure_curve(
    codec: str,
    images: Sequence[Image],
    *,
    processes: int,
    progress: Callable[[int, ClassicalRow], None],
) -> List[ClassicalRow]:
    """Measures every image at every setting of a codec's ladder, several images at once.

    Args:
        codec: key in ``CLASSICAL``.
        images: the dataset.
        processes: how many images at once.
        progress: called with the number of images done and the last row of the latest.

    Returns:
        Rows in the order of settings, then of images, however the work went.

    Raises:
        ValueError: ``processes`` is below 1, or the codec's package is not installed.
    """
    if processes < 1:
        raise ValueError(f"processes={processes} must be at least 1.")
    CLASSICAL[codec].require()
    done: List[ClassicalRow] = []
    if processes == 1:
        for count, image in enumerate(images, start=1):
            done += _measure(codec, image)
            progress(count, done[-1])
        return _in_order(codec, images, done)
    # Not forked: TensorFlow's threads would not live on in a copy.
    executor = concurrent.futures.ProcessPoolExecutor(
        min(processes, len(images)), multiprocessing.get_context("spawn"), _ready_worker
    )
    with executor:
        tasks = [executor.submit(_measure, codec, image) for image in images]
        try:
            for count, task in enumerate(concurrent.futures.as_completed(tasks), start=1):
                done += task.result()
                progress(count, done[-1])
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    return _in_order(codec, images, done)


def _in_order(codec, images, rows) -> List[ClassicalRow]:
    order = {image.name: number for number, image in enumerate(images)}
    ladder = {quality: number for number, quality in enumerate(CLASSICAL[codec].ladder)}
    return sorted(rows, key=lambda row: (ladder[row.quality], order[row.file]))


def write_curve(
    codec: str, rows: Sequence[ClassicalRow], path: pathlib.Path, *, dataset: str
) -> Results:
    """Writes ``path`` (JSON, the exchange schema) and, beside it, the rows as CSV.

    Args:
        codec: key in ``CLASSICAL``.
        rows: of all images and settings.
        path: of the JSON file.
        dataset: the dataset's name.
    """
    results = curve_of_rows(CLASSICAL[codec], rows, dataset=dataset)
    results.provenance.update(provenance())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*ClassicalRow._fields, "bpp"])
    writer.writerows([*row, row.bpp] for row in rows)
    write_atomically(path.with_suffix(".csv"), text.getvalue().encode())
    write_results(results, path)
    return results


def _ready_worker() -> None:
    """One core a process; Ctrl-C is for the process that waits for them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _measure(codec: str, image: Image) -> List[ClassicalRow]:
    return measure_settings(CLASSICAL[codec], image, CLASSICAL[codec].ladder)
