"""Where the jobs of a sweep run: processes on this machine, a Slurm cluster, a Ray cluster.

The machines of a cluster must share the project's folder, its environment and the run directories.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Optional, Set

from sweeps.train_process import TRAIN, Job, start_process, train_process

INTERRUPTED = 128 + signal.SIGINT


class Backend:
    """Runs up to ``n_jobs`` jobs at a time; a thread waits for each.

    A subclass has ``_start(job)``, which returns a handle, ``_wait(handle)``, which returns the
    exit status, and ``_stop(handle)``, which interrupts the job.
    """

    def __init__(self, n_jobs: int, threads: Optional[int], **options: Any):
        """Prepares the threads.

        Args:
            n_jobs: jobs at a time, at least 1.
            threads: per job, at least 1; None: one per core (1 on a cluster).
            options: of the subclass, see its ``_connect``.

        Raises:
            ValueError: a number is not whole or below 1, or a package is not installed.
        """
        for name, number in (("n_jobs", n_jobs), ("threads", 1 if threads is None else threads)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise ValueError(
                    f"hydra.launcher.{name}={number!r} must be a whole number, at least 1."
                )
        self._threads = threads
        self._pool = ThreadPoolExecutor(n_jobs)
        self._running: Set[Any] = set()
        self._interrupted = False
        self.description = f"{n_jobs} at a time on {self._connect(n_jobs, **options)}"

    def submit(self, job: Job) -> Future[int]:
        """Queues a job; the result is its exit status."""
        return self._pool.submit(self._run, job)

    def interrupt(self) -> None:
        """Drops queued jobs; running ones write a checkpoint and end.

        A second call ends local runs at once.
        """
        self._interrupted = True
        for handle in list(self._running):
            self._stop(handle)

    def _run(self, job: Job) -> int:
        if self._interrupted:
            return INTERRUPTED
        handle = self._start(job)
        self._running.add(handle)
        if self._interrupted:  # While it was being started: `interrupt` may have missed it.
            self._stop(handle)
        try:
            return self._wait(handle)
        finally:
            self._running.remove(handle)


class LocalProcesses(Backend):
    """Processes on this machine."""

    def _connect(self, n_jobs: int) -> str:
        limit = "" if self._threads is None else f" with {self._threads} thread(s) each"
        return f"this machine{limit}"

    def _start(self, job: Job) -> subprocess.Popen:
        return start_process(job, self._threads)

    def _wait(self, handle: subprocess.Popen) -> int:
        return handle.wait()

    def _stop(self, handle: subprocess.Popen) -> None:
        handle.send_signal(signal.SIGINT)


class SlurmCluster(Backend):
    """Slurm jobs, through submitit, whose ``local`` cluster is this machine."""

    def _connect(self, n_jobs: int, cluster: str, folder: str, **options: Any) -> str:
        submitit = _optional("submitit", "slurm")
        self._executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
        options = {
            name: value
            for name, value in options.items()
            if value is not None and (cluster == "slurm" or not name.startswith("slurm_"))
        }
        self._executor.update_parameters(cpus_per_task=self._threads or 1, **options)
        return f"submitit's cluster {cluster!r}"

    def _start(self, job: Job) -> Any:
        return self._executor.submit(_Requeued(), job, self._threads)

    def _wait(self, handle: Any) -> int:
        return handle.result()

    def _stop(self, handle: Any) -> None:
        handle.cancel()


class _Requeued:
    """``train_process`` that Slurm restarts after preemption; the run then resumes."""

    def __call__(self, job: Job, threads: Optional[int]) -> int:
        return train_process(job, threads)

    def checkpoint(self, job: Job, threads: Optional[int]) -> Any:
        return importlib.import_module("submitit").helpers.DelayedSubmission(self, job, threads)


class RayCluster(Backend):
    """Tasks of a Ray cluster, which may have room for fewer than ``n_jobs``."""

    def _connect(self, n_jobs: int, address: Optional[str], gpus: float) -> str:
        self._ray = _optional("ray", "ray")
        paths = [str(TRAIN.parent), os.environ.get("PYTHONPATH")]
        cores = self._threads or 1
        self._ray.init(
            address=address,
            # Lets workers import this package.
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, paths))}},
            log_to_driver=False,
            logging_level="WARNING",
            **({} if address else {"num_cpus": n_jobs * cores, "include_dashboard": False}),
        )
        self._task = self._ray.remote(train_process).options(
            num_cpus=cores, num_gpus=gpus, max_retries=0
        )
        return "a Ray cluster"

    def _start(self, job: Job) -> Any:
        return self._task.remote(job, self._threads)

    def _wait(self, handle: Any) -> int:
        try:
            return self._ray.get(handle)
        except self._ray.exceptions.TaskCancelledError:
            return INTERRUPTED

    def _stop(self, handle: Any) -> None:
        self._ray.cancel(handle)


def _optional(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ValueError(f"{module} is not installed: pip install -e '.[{extra}]'.") from None
