"""One run in a process of its own, which ends with the one that started it.

A process a run, because state (generators, graphs, determinism) would leak from run to run in one.
"""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
from typing import Callable, Dict, List, NamedTuple, Optional

TRAIN = pathlib.Path(__file__).resolve().parent.parent / "train.py"

_BOUND_TO_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, which outlasts exec
signal.pthread_sigmask(signal.SIG_SETMASK, [])  # Ray's workers block SIGINT, which is inherited
if os.getppid() != int(sys.argv[1]):
    sys.exit(128 + signal.SIGTERM)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
"""A killed sweep leaves no runs behind: they get SIGTERM and write their checkpoints.

A process of its own says so to the kernel: between fork and exec, as a ``preexec_fn``, Python may
hang where threads hold locks.
"""


class Job(NamedTuple):
    """One run of train.py; any machine that shares the files can take it.

    Attributes:
        name: what messages call it.
        words: overrides of train.py.
        run: its directory; ``<run>.log`` beside it gets what the process prints.
        folder: where the process runs: relative paths in ``words`` start there.
    """

    name: str
    words: List[str]
    run: pathlib.Path
    folder: pathlib.Path

    @property
    def log(self) -> pathlib.Path:
        """What the process prints, one attempt after the other."""
        return self.run.with_name(f"{self.run.name}.log")


def train_process(
    job: Job,
    threads: Optional[int] = None,
    started: Optional[Callable[[subprocess.Popen], None]] = None,
) -> int:
    """Runs a job to its end and returns its exit status.

    A KeyboardInterrupt (Ctrl-C here, a cancelled task elsewhere) is handed on to the run, which
    writes a checkpoint before this raises.

    Args:
        job: the run.
        threads: of TensorFlow; None: as many as there are cores. A run resumes to the same bits
            only with equally many.
        started: gets the process, to signal it from another thread.
    """
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open("a") as log:
        process = subprocess.Popen(
            [*_python(), str(TRAIN), *job.words],
            stdout=log,
            stderr=log,
            cwd=job.folder,
            env={**os.environ, **_thread_limits(threads)},
            # Not in the terminal's group: who started it hands Ctrl-C on, once.
            start_new_session=True,
        )
        if started is not None:
            started(process)
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise


def _thread_limits(threads: Optional[int]) -> Dict[str, str]:
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return {} if threads is None else dict.fromkeys(names, str(threads))


def _python() -> List[str]:
    if sys.platform != "linux":
        return [sys.executable]
    return [sys.executable, "-c", _BOUND_TO_PARENT, str(os.getpid())]
