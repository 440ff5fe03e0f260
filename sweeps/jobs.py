"""The runs of a sweep: finished ones are skipped, interrupted ones resume, failed ones named."""

from __future__ import annotations

import csv
import json
import math
import pathlib
import statistics
import time
from concurrent.futures import CancelledError, Future, as_completed, wait
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from evaluation.media import AUDIO, IMAGE, Medium, medium_of
from sweeps.places import LocalProcesses, Place
from sweeps.train_process import Job
from training.progress import clock

INTERRUPTED = (130, 143, -2, -15)
"""Exit statuses of a run that a signal stopped: it resumes."""


class Outcome(NamedTuple):
    """What came of one run: means over the test files, rates and qualities as ``medium`` has them.

    Attributes:
        medium: whose results these are: bits per pixel and PSNR, or kbit/s and SI-SDR.
        rate: coded.
        quality: of decoded files, dB.
        loss: ``bpp + lmbda * mse`` of decoded images, for ``distortion=mse``. None of sound, whose
            results do not hold the distortion that it was trained on.
        rate_training: at the rate value of training.
        rate_rounded: of the symbols, before coding.
        rate_fixed_length: with a fixed length code, or None.
        quality_training: at the decoder value of training, dB.
        examples_per_second: while training, median over the log.
    """

    medium: Medium
    rate: float
    quality: float
    loss: Optional[float]
    rate_training: float
    rate_rounded: float
    rate_fixed_length: Optional[float]
    quality_training: float
    examples_per_second: float

    def in_words(self) -> str:
        """Rate, quality and loss, as a sweep's line has them."""
        label = "SI-SDR " if self.medium is AUDIO else ""
        loss = "" if self.loss is None else f", loss {self.loss:.4f}"
        return f"{self.rate:.4f} {self.medium.rate}, {label}{self.quality:.2f} dB{loss}"


def best_first(outcomes: Mapping[str, Outcome]) -> List[Tuple[str, Outcome]]:
    """Names and outcomes by rising loss; where there is none, by falling quality."""

    def order(item):
        loss = item[1].loss
        return -item[1].quality if loss is None else loss

    return sorted(outcomes.items(), key=order)


def labels(outcomes: Mapping[str, Outcome]) -> Tuple[str, str]:
    """How tables call rate and quality: of images where there is no outcome to tell."""
    sound = any(outcome.medium is AUDIO for outcome in outcomes.values())
    return ("kbps", "SI-SDR (dB)") if sound else ("bpp", "PSNR (dB)")


def run_jobs(
    jobs: Mapping[str, Sequence[str]], folder: pathlib.Path, common: Sequence[str]
) -> Dict[str, Outcome]:
    """Trains and evaluates every job in ``folder/<name>``, one after the other on this machine.

    See ``finish_jobs``; a finished job is looked at once more, by train.py, and not changed.

    Args:
        jobs: name of a run -> its overrides of train.py.
        folder: run directories and logs.
        common: overrides of all runs, before their own.
    """
    here = pathlib.Path.cwd()
    return finish_jobs(
        [
            Job(name, [*common, *words, f"run={(folder / name).resolve()}"], folder / name, here)
            for name, words in jobs.items()
        ],
        LocalProcesses(),
    )


def finish_jobs(
    jobs: Sequence[Job], place: Place, is_finished: Callable[[Job], bool] = lambda job: False
) -> Dict[str, Outcome]:
    """Trains and evaluates the jobs that are not finished, and says a line when each of them is.

    One that fails is named and left out; the others go on.

    Args:
        jobs: the runs; their names differ.
        place: where they run.
        is_finished: whether there is nothing left to do for a job.

    Returns:
        The outcomes of the jobs that succeeded, now or before, in their order.

    Raises:
        KeyboardInterrupt: on Ctrl-C, as soon as all runs have written their checkpoints.
    """
    outcomes: Dict[str, Outcome] = {}
    for job in jobs:
        if is_finished(job):
            outcomes[job.name] = read_outcome(job.run)
            print(f"{job.name}: finished before", flush=True)
    waiting = [job for job in jobs if job.name not in outcomes]
    print(f"{len(waiting)} of {len(jobs)} jobs to run, {place.describe()}", flush=True)
    failed: List[str] = []
    started = time.monotonic()
    futures = {place.submit(job): job for job in waiting}
    try:
        for number, future in enumerate(as_completed(futures), start=1):
            job = futures[future]
            line = _conclude(job, future, outcomes)
            if job.name not in outcomes:
                failed.append(job.name)
            elapsed = time.monotonic() - started
            remaining = elapsed / number * (len(waiting) - number)
            times = f"{clock(elapsed)}, ETA {clock(remaining)}"
            print(f"[{number}/{len(waiting)}] {job.name}: {line} ({times})", flush=True)
    except KeyboardInterrupt:
        print("stopping: runs write their checkpoints; the same command resumes.", flush=True)
        place.interrupt()
        try:
            wait(futures)
        except KeyboardInterrupt:
            place.interrupt()
        raise
    if failed:
        print(f"failed: {', '.join(failed)}", flush=True)
    return {job.name: outcomes[job.name] for job in jobs if job.name in outcomes}


def _conclude(job: Job, future: Future, outcomes: Dict[str, Outcome]) -> str:
    """The line on a job that has ended; adds its outcome if it has one."""
    try:
        status = future.result()
    except CancelledError:
        return "not started"
    except Exception as error:  # A cluster's, not the run's.
        return f"failed: {' '.join(str(error).split()) or type(error).__name__}"
    if status in INTERRUPTED:
        return "interrupted; the same command resumes it"
    if status:
        return f"failed with exit status {status} ({_last_line(job.log)}); see {job.log}"
    outcomes[job.name] = outcome = read_outcome(job.run)
    return outcome.in_words()


def _last_line(log: pathlib.Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "no log"


def read_outcome(run: pathlib.Path) -> Outcome:
    """The outcome of a finished run on its own test split, with all refinement stages, not refined.

    Raises:
        FileNotFoundError: the run has no such results.
    """
    for path in sorted((run / "results").glob("*.json")):
        document = json.loads(path.read_text())
        made = document["provenance"]
        whole = made.get("stages") is None and made.get("refinement") is None
        if made["split"] == "test" and whole:
            break
    else:
        raise FileNotFoundError(f"{run} has no results on its test split.")
    point = {key: values[0] for key, values in document["results"].items()}
    medium = medium_of(point)
    quality = medium.metrics[0].key
    return Outcome(
        medium=medium,
        rate=point[medium.rate],
        quality=_number(point[quality]),
        loss=_loss(document, path.with_suffix(".csv")) if medium is IMAGE else None,
        rate_training=point[f"{medium.rate}-training"],
        rate_rounded=point[f"{medium.rate}-rounded"],
        rate_fixed_length=point[f"{medium.rate}-fixed-length"],
        quality_training=_number(point[f"{quality}-training"]),
        examples_per_second=_training_speed(run / "training.csv"),
    )


def _loss(document: Dict[str, Any], table: pathlib.Path) -> float:
    with table.open() as file:
        rows = list(csv.DictReader(file))
    mse = [255**2 / 10 ** (float(row["psnr"]) / 10) for row in rows]
    lmbda = document["provenance"]["config"]["lmbda"]
    return document["results"]["bpp"][0] + lmbda * statistics.fmean(mse)


def _number(value: Optional[float]) -> float:
    return math.nan if value is None else value  # JSON has no infinity.


def _training_speed(path: pathlib.Path) -> float:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    column = next(name for name in rows[0] if name.endswith("s_per_second"))
    speeds: List[float] = [float(row[column]) for row in rows]
    # The first line of the log holds the time in which graphs are built.
    return statistics.median(speeds[1:] or speeds)
