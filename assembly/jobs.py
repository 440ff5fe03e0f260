"""The runs of a sweep: finished ones are skipped, interrupted ones resume, failed ones named."""

from __future__ import annotations

import csv
import json
import pathlib
import statistics
import time
from concurrent.futures import CancelledError, Future, as_completed, wait
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

from assembly.places import LocalProcesses, Place
from assembly.train_process import Job
from training.progress import clock

INTERRUPTED = (130, 143, -2, -15)
"""Exit statuses of a run that a signal stopped: it resumes."""


class Outcome(NamedTuple):
    """What came of one run; rates in bits per pixel, PSNR in dB, means over the test images.

    Attributes:
        bpp: coded.
        psnr: of decoded files.
        loss: ``bpp + lmbda * mse`` of decoded files, for ``distortion=mse``.
        bpp_training: at the rate value of training.
        bpp_rounded: of the symbols, before coding.
        bpp_fixed_length: with a fixed length code, or None.
        psnr_training: at the decoder value of training.
        images_per_second: while training, median over the log.
    """

    bpp: float
    psnr: float
    loss: float
    bpp_training: float
    bpp_rounded: float
    bpp_fixed_length: Optional[float]
    psnr_training: float
    images_per_second: float


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
    return f"{outcome.bpp:.4f} bpp, {outcome.psnr:.2f} dB, loss {outcome.loss:.4f}"


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
    lmbda = document["provenance"]["config"]["lmbda"]
    with path.with_suffix(".csv").open() as file:
        rows = list(csv.DictReader(file))
    mse = [255**2 / 10 ** (float(row["psnr"]) / 10) for row in rows]
    return Outcome(
        bpp=point["bpp"],
        psnr=point["psnr-rgb"],
        loss=point["bpp"] + lmbda * statistics.fmean(mse),
        bpp_training=point["bpp-training"],
        bpp_rounded=point["bpp-rounded"],
        bpp_fixed_length=point["bpp-fixed-length"],
        psnr_training=point["psnr-rgb-training"],
        images_per_second=_training_speed(run / "training.csv"),
    )


def _training_speed(path: pathlib.Path) -> float:
    with path.open() as file:
        speeds: List[float] = [float(row["images_per_second"]) for row in csv.DictReader(file)]
    # The first line of the log holds the time in which graphs are built.
    return statistics.median(speeds[1:] or speeds)
