"""Where the jobs of a sweep run: processes on this machine, a Slurm cluster, a Ray cluster.

All of them run ``train_process``. Machines of a cluster must share the project's folder, its
environment and the run directories.
"""

from __future__ import annotations

import abc
import os
import signal
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Optional, Set

from sweeps.train_process import TRAIN, Job, train_process


class Place(abc.ABC):
    """Runs jobs, so many at a time."""

    def __init__(self, n_jobs: int, threads: Optional[int]):
        """Takes how much there is to use.

        Args:
            n_jobs: jobs at a time, at least 1.
            threads: of each, at least 1; None: as many as its machine has cores.

        Raises:
            ValueError: a number is below 1.
        """
        for name, value in (("n_jobs", n_jobs), ("threads", threads)):
            if value is not None and value < 1:
                raise ValueError(f"hydra.launcher.{name}={value} must be at least 1.")
        self._n_jobs = n_jobs
        self._threads = threads

    @abc.abstractmethod
    def submit(self, job: Job) -> Future:
        """The exit status, later."""

    @abc.abstractmethod
    def interrupt(self) -> None:
        """Jobs that wait are dropped; those that run write a checkpoint and end."""

    @abc.abstractmethod
    def describe(self) -> str:
        """Where and how many at a time, in a few words."""


class LocalProcesses(Place):
    """Processes on this machine."""

    def __init__(self, n_jobs: int = 1, threads: Optional[int] = None):
        """See ``Place``."""
        super().__init__(n_jobs, threads)
        self._pool = ThreadPoolExecutor(n_jobs)
        self._running: Set[subprocess.Popen] = set()
        self._interrupted = False

    def submit(self, job: Job) -> Future:
        """See ``Place``."""
        return self._pool.submit(self._run, job)

    def _run(self, job: Job) -> int:
        if self._interrupted:
            return 128 + signal.SIGINT
        processes = []

        def started(process: subprocess.Popen) -> None:
            processes.append(process)
            self._running.add(process)

        try:
            return train_process(job, self._threads, started)
        finally:
            self._running.difference_update(processes)

    def interrupt(self) -> None:
        """See ``Place``; a second time ends the runs at once."""
        self._interrupted = True
        for process in list(self._running):
            process.send_signal(signal.SIGINT)

    def describe(self) -> str:
        """See ``Place``."""
        threads = "" if self._threads is None else f" with {self._threads} thread(s) each"
        return f"{self._n_jobs} at a time on this machine{threads}"


class SlurmCluster(Place):
    """Jobs of a Slurm array, through submitit; its ``local`` cluster is this machine."""

    def __init__(self, n_jobs: int, threads: Optional[int], cluster: str, folder: str, **options):
        """Connects to the queue.

        Args:
            n_jobs: jobs at a time, at least 1.
            threads: cores of a job.
            cluster: slurm, or local to try it without one.
            folder: for submitit's files, on a disk that all machines share.
            options: of submitit, as timeout_min or slurm_partition; those that are None are left
                to the cluster.
        """
        super().__init__(n_jobs, threads)
        submitit = _optional("submitit", "slurm")
        self._executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
        options = {name: value for name, value in options.items() if value is not None}
        if cluster != "slurm":
            options = {name: v for name, v in options.items() if not name.startswith("slurm_")}
        self._executor.update_parameters(
            slurm_array_parallelism=n_jobs, cpus_per_task=threads or 1, **options
        )
        self._cluster = cluster
        self._waiting = ThreadPoolExecutor(n_jobs if cluster == "local" else 1024)
        self._jobs: list = []

    def submit(self, job: Job) -> Future:
        """See ``Place``."""
        return self._waiting.submit(self._run, job)

    def _run(self, job: Job) -> int:
        submitted = self._executor.submit(_Requeued(), job, self._threads)
        self._jobs.append(submitted)
        return submitted.result()

    def interrupt(self) -> None:
        """See ``Place``."""
        for job in self._jobs:
            job.cancel()
        self._waiting.shutdown(wait=False, cancel_futures=True)

    def describe(self) -> str:
        """See ``Place``."""
        return f"{self._n_jobs} at a time on submitit's cluster {self._cluster!r}"


class _Requeued:
    """``train_process`` that a preempted job of Slurm runs once more: the run then resumes."""

    def __call__(self, job: Job, threads: Optional[int]) -> int:
        return train_process(job, threads)

    def checkpoint(self, job: Job, threads: Optional[int]) -> Any:
        import submitit

        return submitit.helpers.DelayedSubmission(self, job, threads)


class RayCluster(Place):
    """Tasks of a Ray cluster."""

    def __init__(self, n_jobs: int, threads: Optional[int], address: Optional[str], gpus: float):
        """Connects to the cluster.

        Args:
            n_jobs: jobs at a time, at least 1; the cluster may have room for fewer.
            threads: cores of a job.
            address: of the cluster; None starts one on this machine, auto finds one that runs here.
            gpus: of a job.
        """
        super().__init__(n_jobs, threads)
        self._ray = _optional("ray", "ray")
        paths = [str(TRAIN.parent), os.environ.get("PYTHONPATH")]
        own = {"num_cpus": n_jobs * (threads or 1), "include_dashboard": False}
        self._ray.init(
            address=address,
            # Where a worker finds this package.
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, paths))}},
            log_to_driver=False,
            logging_level="WARNING",
            **({} if address else own),
        )
        self._task = self._ray.remote(train_process).options(
            num_cpus=threads or 1, num_gpus=gpus, max_retries=0
        )
        self._waiting = ThreadPoolExecutor(n_jobs)
        self._interrupted = False
        self._tasks: list = []

    def submit(self, job: Job) -> Future:
        """See ``Place``."""
        return self._waiting.submit(self._run, job)

    def _run(self, job: Job) -> int:
        if self._interrupted:
            return 128 + signal.SIGINT
        task = self._task.remote(job, self._threads)
        self._tasks.append(task)
        try:
            return self._ray.get(task)
        except self._ray.exceptions.TaskCancelledError:
            return 128 + signal.SIGINT

    def interrupt(self) -> None:
        """See ``Place``."""
        self._interrupted = True
        for task in self._tasks:
            self._ray.cancel(task)

    def describe(self) -> str:
        """See ``Place``."""
        return f"{self._n_jobs} at a time on a Ray cluster"


def _optional(module: str, extra: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise ValueError(f"{module} is not installed: pip install 'roundtrip[{extra}]'.") from None
