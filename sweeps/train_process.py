"""One training run in a process of its own, which ends when its parent process does.

State (random generators, graphs, determinism) would leak from run to run within one process.
"""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
from typing import List, NamedTuple, Optional

TRAIN = pathlib.Path(__file__).resolve().parent.parent / "train.py"

THREAD_LIMITS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")

_BOUND_TO_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, which survives exec
signal.pthread_sigmask(signal.SIG_SETMASK, [])  # Ray's workers block SIGINT, which is inherited
if os.getppid() != int(sys.argv[1]):
    sys.exit(128 + signal.SIGTERM)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
"""Makes a killed sweep leave no runs behind: they get SIGTERM and write their checkpoints.

This needs a process of its own: a ``preexec_fn`` runs between fork and exec, where Python can
deadlock if other threads hold locks.
"""


class Job(NamedTuple):
    """One run of train.py. Any machine that shares the files can run it.

    Attributes:
        overrides: of train.py.
        run: run directory; the output of the process goes to ``<run>.log`` beside it.
        folder: working directory; relative paths in ``overrides`` start there.
    """

    overrides: List[str]
    run: pathlib.Path
    folder: pathlib.Path

    @property
    def name(self) -> str:
        """Name of the run in messages."""
        return self.run.name

    @property
    def log(self) -> pathlib.Path:
        """Output of the process, one attempt after the other."""
        return self.run.with_name(f"{self.run.name}.log")


def start_process(job: Job, threads: Optional[int] = None) -> subprocess.Popen:
    """Starts a job; its parent is the thread that calls this, which has to wait for it.

    Args:
        job: the run.
        threads: of TensorFlow; None: one per core. A run resumes to the same bits only with the
            same number of threads.
    """
    job.log.parent.mkdir(parents=True, exist_ok=True)
    limits = {} if threads is None else dict.fromkeys(THREAD_LIMITS, str(threads))
    bound = ["-c", _BOUND_TO_PARENT, str(os.getpid())] if sys.platform == "linux" else []
    with job.log.open("a") as log:
        return subprocess.Popen(
            [sys.executable, *bound, str(TRAIN), *job.overrides],
            stdout=log,
            stderr=log,
            cwd=job.folder,
            env={**os.environ, **limits},
            # Outside the terminal's process group: the sweep forwards Ctrl-C, once.
            start_new_session=True,
        )


def train_process(job: Job, threads: Optional[int] = None) -> int:
    """Runs a job to its end and returns its exit status.

    A KeyboardInterrupt, which is how a cancelled task ends, is forwarded to the run, which writes
    a checkpoint before this raises.
    """
    process = start_process(job, threads)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
