"""A Hydra multirun of train.py: finished runs are skipped, interrupted ones resume."""

from __future__ import annotations

import functools
import math
import os
import pathlib
import sys
import time
from concurrent.futures import Future, as_completed, wait
from typing import Any, Dict, List, Optional, Sequence

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from assembly.choices import checked, run_name
from assembly.command_line import quoted
from assembly.parts import build_part, fill_slots, saved_form
from assembly.selection import Selection
from assembly.user_errors import USER_ERRORS
from evaluation.report import read_tables
from hydra_plugins.roundtrip_launcher import COMBINATIONS
from signals.files import write_atomically
from sweeps.backends import Backend
from sweeps.evaluations import fits
from sweeps.outcomes import Outcome, read_outcome, table
from sweeps.progress import progress
from sweeps.train_process import Job
from training.checkpoints import damaged_weights
from training.run_directory import RunDirectory
from training.run_names import run_path
from training.settings import Settings

OF_THE_SWEEP = ("hydra/launcher", "hydra/sweeper", "hydra.launcher", "hydra.sweeper", "hydra.sweep")
DIVERGED = 1e9
"""Objective of a run whose loss is not finite: a sweeper cannot rank NaN."""

INTERRUPTED = (130, 143, -2, -15)
"""Exit statuses of a run that a signal stopped, and that resumes."""


class JobFailed(RuntimeError):
    """What a sweeper gets for a failed job, in place of the objective."""


def run_sweep(
    configs: Sequence[DictConfig],
    backend: str,
    table_file: Optional[str] = None,
    **settings: Any,
) -> List[JobReturn]:
    """Runs the jobs of a multirun.

    Args:
        configs: of the jobs, each with Hydra's own node.
        backend: name of a class in ``sweeps.backends``.
        table_file: gets a table of all outcomes, which is also printed; None: no table.
        settings: arguments of the backend.

    Returns:
        For each job, the loss on its test files once decoded, with the job's own distortion.

    Raises:
        ValueError: two jobs have the same run directory, or a setting is out of range.
        SystemExit: jobs failed. Hydra's sweeper of combinations would only show the first of them.
    """
    jobs = distinct_jobs(configs)
    settings = {
        name: OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
        for name, value in settings.items()
    }
    outcomes = _outcomes(jobs, configs, get_class(f"sweeps.backends.{backend}")(**settings))
    named = {job.name: outcomes[job.run] for job in jobs if job.run in outcomes}
    if table_file is not None and named:
        text = table(named)
        write_atomically(pathlib.Path(str(table_file)), (text + "\n").encode())
        print(f"\n{text}", flush=True)
    if len(outcomes) < len(jobs) and configs[0].hydra.sweeper._target_ == COMBINATIONS:
        sys.exit(1)
    return [_job_return(job, outcomes.get(job.run)) for job in jobs]


def distinct_jobs(configs: Sequence[DictConfig]) -> List[Job]:
    """The jobs of a multirun.

    Raises:
        ValueError: two jobs have the same run directory.
    """
    setup_globals()  # For ${hydra:...} in names of runs.
    jobs = [_job(config) for config in configs]
    owners: Dict[pathlib.Path, Job] = {}
    for job in jobs:
        other = owners.setdefault(job.run, job)
        if other is not job:
            raise ValueError(
                f"run={str(job.run)!r} is that of two jobs ({' '.join(other.overrides[:-1])}; "
                f"{' '.join(job.overrides[:-1])}): run= must tell them apart, or be left out."
            )
    return jobs


def check_scalars(configs: Sequence[DictConfig]) -> None:
    """Raises ValueError if a scalar of a job is out of its range."""
    setup_globals()
    for config in configs:
        HydraConfig.instance().set_config(config)
        checked(Settings, _of_train_py(config))


def _of_train_py(config: DictConfig) -> DictConfig:
    """Without Hydra's own node, and without the name that may refer to it."""
    config = OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
    config.run = None
    return config


def _job(config: DictConfig) -> Job:
    HydraConfig.instance().set_config(config)
    overrides = [
        text
        for text in (*config.hydra.overrides.hydra, *config.hydra.overrides.task)
        if not text.lstrip("+~").startswith((*OF_THE_SWEEP, "run=", "hydra.mode"))
    ]
    folders = [
        f"--config-dir={source.path}"
        for source in config.hydra.runtime.config_sources
        if source.provider == "command-line"
    ]
    run = pathlib.Path(os.path.abspath(run_path(run_name(config, config.hydra))))
    return Job([*folders, *overrides, f"run={quoted(str(run))}"], run, pathlib.Path.cwd())


def _outcomes(
    jobs: Sequence[Job], configs: Sequence[DictConfig], backend: Backend
) -> Dict[pathlib.Path, Outcome]:
    """Runs the jobs that are not finished and prints a line as each of them ends.

    A job that fails is named at the end and left out; the others continue.

    Raises:
        KeyboardInterrupt: on Ctrl-C, once all runs have written their checkpoints.
    """
    outcomes: Dict[pathlib.Path, Outcome] = {}
    config_of = {job.run: config for job, config in zip(jobs, configs)}

    def outcome_of(job: Job) -> Outcome:
        return read_outcome(job.run, _results_name(job, config_of[job.run]))

    for job, config in zip(jobs, configs):
        if _is_finished(job, config):
            outcomes[job.run] = outcome_of(job)
            print(f"{job.name}: finished before", flush=True)
    waiting = [job for job in jobs if job.run not in outcomes]
    print(f"{len(waiting)} of {len(jobs)} jobs to run, {backend.description}", flush=True)
    started = time.monotonic()
    futures = {backend.submit(job): job for job in waiting}
    try:
        for number, future in enumerate(as_completed(futures), start=1):
            job = futures[future]
            line = _failure(job, future)
            if line is None:
                try:
                    outcomes[job.run] = outcome_of(job)
                    line = outcomes[job.run].summary()
                except USER_ERRORS as error:
                    line = f"failed: {' '.join(str(error).split())}"
            print(progress(number, len(waiting), started, job.name, line), flush=True)
    except KeyboardInterrupt:
        print("stopping: runs write their checkpoints; the same command resumes.", flush=True)
        backend.interrupt()
        try:
            wait(futures)
        except KeyboardInterrupt:
            backend.interrupt()
        raise
    failed = [job.name for job in waiting if job.run not in outcomes]
    if failed:
        print(f"failed: {', '.join(failed)}", flush=True)
    return outcomes


def _is_finished(job: Job, config: DictConfig) -> bool:
    """Whether train.py would find nothing to do: trained as configured, test images coded."""
    config = _of_train_py(config)
    directory = RunDirectory(job.run)
    if config.overwrite or not directory.trained or damaged_weights(directory.model / "weights"):
        return False
    if directory.differences(saved_form(fill_slots(config))):
        return False  # train.py reports them.
    try:
        name = _results_name(job, config)
        read_outcome(job.run, name)
        if name is None:
            return any(read_tables(path) is not None for path in directory.results.glob("*.txt"))
        path, selection = directory.results / f"{name}.json", _selection(config)
        tables = read_tables(path.with_suffix(".txt"))
        return tables is not None and fits(path, directory.model, selection, config.classical)
    except USER_ERRORS:
        return False  # None yet, or damaged: train.py measures the files.


def _results_name(job: Job, config: DictConfig) -> Optional[str]:
    """What train.py calls the results on a job's own test files; None if its data is not here."""
    selection = _selection(config)
    if selection is None:
        return None
    return selection.name_in(RunDirectory(job.run).results, selection.source.name_of("test"))


def _selection(config: DictConfig) -> Optional[Selection]:
    return _selection_of(OmegaConf.to_yaml(config.data, resolve=True), config.test_images)


@functools.cache
def _selection_of(data: str, most: int) -> Optional[Selection]:
    try:
        return Selection(build_part(OmegaConf.create(data)), "test", most)
    except USER_ERRORS:
        return None


def _failure(job: Job, future: Future[int]) -> Optional[str]:
    """Why a job that has ended has no outcome; None if it has one."""
    try:
        status = future.result()
    except Exception as error:  # Raised by a cluster, not by the run.
        return f"failed: {' '.join(str(error).split()) or type(error).__name__}"
    if status in INTERRUPTED:
        return "interrupted; the same command resumes it"
    if not status:
        return None
    lines = job.log.read_text(errors="replace").split("\n") if job.log.exists() else []
    last = next(filter(str.strip, reversed(lines)), "no log")
    return f"failed with exit status {status} ({last}); see {job.log}"


def _job_return(job: Job, outcome: Optional[Outcome]) -> JobReturn:
    returned = JobReturn(overrides=job.overrides)
    if outcome is None:
        returned.return_value = JobFailed(f"{job.name} failed; see {job.log}")
        returned.status = JobStatus.FAILED
        return returned
    loss = outcome.loss
    returned.return_value = loss if loss is None or math.isfinite(loss) else DIVERGED
    returned.status = JobStatus.COMPLETED
    return returned
