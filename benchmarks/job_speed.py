"""The benchmark's parts for the default job: its start, and what it adds to the bare step."""

from __future__ import annotations

import csv
import itertools
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from memory import default_job
from timing import in_turn

STEPS = 120
"""Of a job, in four rows of its log; the first is not counted."""


def startup() -> None:
    """Seconds from the command to the first step of the default job."""
    with tempfile.TemporaryDirectory() as folder:
        command = default_job(folder, "log_every=1")
        started = time.perf_counter()
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if line.startswith("step"):
                    break
            seconds = time.perf_counter() - started
            process.kill()
    print(f"\ndefault job: {seconds:.1f} s from the command to the end of the first step")
    sys.stdout.flush()


def pipeline(rounds: int) -> None:
    """Images/s of the default job, with input and logging, beside those of its step alone.

    Args:
        rounds: in which the job and the step take turns.
    """
    bare, batch_size = bare_step()
    jobs, steps = [], []
    for _ in range(rounds):
        jobs.append(job_rate())
        steps.append(batch_size / in_turn({"step": bare}, STEPS // 4)["step"])
    job, step = statistics.median(jobs), statistics.median(steps)
    print(f"\ndefault job: {job:.1f} images/s, its step alone {step:.1f} ({job / step:.0%})")
    sys.stdout.flush()


def bare_step():
    """The default job's step on a batch that stays the same, and the batch size."""
    from hydra import compose, initialize_config_dir

    from assembly.choices import CONFIGS
    from assembly.parts import build_model, build_part
    from training.precision import resolve_precision
    from training.settings import register_settings
    from training.step import TrainStep

    register_settings()
    precision = resolve_precision("auto")
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", overrides=[f"precision={precision}"])
    source, model = build_part(config.data), build_model(config)
    parts = build_part(config.distortion), build_part(config.optimizer)
    step = TrainStep(model, *parts, config.lmbda)
    batches = source.training_batches(batch_size=config.batch_size, seed=config.seed)
    (batch,) = itertools.islice(batches, 1)
    return lambda: step(batch).finite.numpy(), config.batch_size


def job_rate() -> float:
    """Images/s that a job logs once it has begun."""
    with tempfile.TemporaryDirectory() as folder:
        quick = ("test_images=1", "classical=[]", f"log_every={STEPS // 4}")
        command = default_job(folder, f"steps={STEPS}", *quick)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
        with (pathlib.Path(folder) / "run" / "training.csv").open(newline="") as file:
            rates = [float(row["images_per_second"]) for row in csv.DictReader(file)]
    return statistics.median(rates[1:])
