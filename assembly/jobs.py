"""Several training runs one after the other, each in a process of its own.

A process a run, because state (generators, graphs, determinism) would leak from run to run in one.
"""

from __future__ import annotations

import csv
import json
import pathlib
import statistics
import subprocess
import sys
from typing import IO, Dict, List, Mapping, NamedTuple, Optional, Sequence

TRAIN = pathlib.Path(__file__).resolve().parent.parent / "train.py"


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
    """Trains and evaluates every job in ``folder/<name>``, with a log in ``folder/<name>.log``.

    A finished job is not run again and an interrupted one is resumed. One that fails is named and
    left out; the others go on. Ctrl-C reaches the run in progress, which keeps its step.

    Args:
        jobs: name of a run -> its overrides of train.py.
        folder: run directories and logs.
        common: overrides of all runs, before their own.

    Returns:
        The outcomes of the jobs that succeeded, in their order.

    Raises:
        KeyboardInterrupt: a job was interrupted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcomes, failed = {}, []
    for number, (name, overrides) in enumerate(jobs.items(), start=1):
        run = folder / name
        command = [*common, *overrides, f"run={run.resolve()}"]
        print(f"[{number}/{len(jobs)}] {name}: train.py {' '.join(overrides)}", flush=True)
        with (folder / f"{name}.log").open("a") as log:
            status = _run([sys.executable, str(TRAIN), *command], log)
        if status:
            failed.append(name)
            print(f"  failed with exit status {status}; see {folder / name}.log", flush=True)
            continue
        outcomes[name] = read_outcome(run)
        bpp, psnr, loss = outcomes[name][:3]
        print(f"  {bpp:.4f} bpp, {psnr:.2f} dB, loss {loss:.4f}", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", flush=True)
    return outcomes


def _run(command: List[str], log: IO[str]) -> int:
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal has told the run too: it writes a checkpoint, which takes a moment.
        process.wait()
        raise


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
