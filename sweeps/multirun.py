"""A Hydra multirun of train.py: from composed configurations to jobs and their objectives."""

from __future__ import annotations

import math
import os
import pathlib
import re
import sys
from typing import Any, Dict, List, Mapping, Sequence

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from omegaconf import DictConfig, OmegaConf

from assembly.parts import fill_slots, saved_form
from assembly.run_names import run_name
from sweeps import places
from sweeps.jobs import finish_jobs
from sweeps.train_process import Job
from training.run_directory import RunDirectory, run_path

BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
OF_THE_SWEEP = ("hydra/launcher", "hydra/sweeper", "hydra.launcher", "hydra.sweeper", "hydra.sweep")
DIVERGED = 1e9
"""Objective of a run whose loss is no finite number: a sweeper cannot rank NaN."""


class JobFailed(RuntimeError):
    """What a sweeper finds in the place of a failed job's objective."""


def run_sweep(
    configs: Sequence[DictConfig], place: str, settings: Mapping[str, Any]
) -> List[JobReturn]:
    """Runs the jobs of a multirun.

    Args:
        configs: of the jobs, with Hydra's own node.
        place: name of a class in ``sweeps.places``.
        settings: its arguments.

    Returns:
        For each job the loss on its test images, ``bpp + lmbda * mse`` of decoded files; of sound
        None, which no sweeper can search by.

    Raises:
        ValueError: two jobs have one run directory, or a setting is out of its range.
        SystemExit: jobs failed, and the sweeper would only show the first of them.
    """
    setup_globals()  # ${hydra:...} in names of runs.
    jobs = [_job(config) for config in configs]
    _check_distinct(jobs)
    asked = {job.name: _bare(config) for job, config in zip(jobs, configs)}
    outcomes = finish_jobs(
        jobs,
        getattr(places, place)(**_plain(settings)),
        lambda job: _is_finished(job, asked[job.name]),
    )
    sweeper = configs[0].hydra.sweeper
    if len(outcomes) < len(jobs) and sweeper._target_ == BASIC_SWEEPER:
        sys.exit(1)
    return [_returned(job, outcomes) for job in jobs]


def _job(config: DictConfig) -> Job:
    HydraConfig.instance().set_config(config)
    name = run_name(config, config.hydra)
    here = pathlib.Path.cwd()
    words = [
        word
        for word in (*config.hydra.overrides.hydra, *config.hydra.overrides.task)
        if not word.lstrip("+~").startswith((*OF_THE_SWEEP, "run=", "hydra.mode"))
    ]
    run = pathlib.Path(os.path.abspath(run_path(name)))
    return Job(run.name, [*words, f"run={_quoted(str(run))}"], run, here)


def _check_distinct(jobs: Sequence[Job]) -> None:
    owners: Dict[pathlib.Path, Job] = {}
    for job in jobs:
        other = owners.setdefault(job.run, job)
        if other is not job:
            raise ValueError(
                f"run={str(job.run)!r} is that of two jobs ({' '.join(other.words[:-1])}; "
                f"{' '.join(job.words[:-1])}): run= must tell them apart, or be left out."
            )


def _bare(config: DictConfig) -> DictConfig:
    """What train.py would save of this job."""
    bare = OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
    bare.run = None
    return bare


def _is_finished(job: Job, config: DictConfig) -> bool:
    """Whether train.py would find nothing to do: trained as asked, and its test images coded."""
    directory = RunDirectory(job.run)
    if config.overwrite or not directory.trained:
        return False
    if directory.differences(saved_form(fill_slots(config))):
        return False  # train.py says which.
    tables = directory.results.glob("*.txt")
    return any('"split": "test"' in path.with_suffix(".json").read_text() for path in tables)


def _returned(job: Job, outcomes: Mapping[str, Any]) -> JobReturn:
    returned = JobReturn(overrides=job.words)
    if job.name in outcomes:
        loss = outcomes[job.name].loss
        returned.return_value = loss if loss is None or math.isfinite(loss) else DIVERGED
        returned.status = JobStatus.COMPLETED
    else:
        returned.return_value = JobFailed(f"{job.name} failed; see {job.log}")
        returned.status = JobStatus.FAILED
    return returned


def _plain(settings: Mapping[str, Any]) -> Dict[str, Any]:
    return {
        name: OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
        for name, value in settings.items()
    }


def _quoted(text: str) -> str:
    """As a value in Hydra's grammar."""
    if re.fullmatch(r"[\w./+-]+", text):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
