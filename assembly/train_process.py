"""One run in a process of its own, which ends with the one that started it.

A process a run, because state (generators, graphs, determinism) would leak from run to run in one.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
from typing import Callable, Dict, List, NamedTuple, Optional

TRAIN = pathlib.Path(__file__).resolve().parent.parent / "train.py"
_PR_SET_PDEATHSIG = 1


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
            [sys.executable, str(TRAIN), *job.words],
            stdout=log,
            stderr=log,
            cwd=job.folder,
            env={**os.environ, **_thread_limits(threads)},
            # Not in the terminal's group: who started it hands Ctrl-C on, once.
            start_new_session=True,
            preexec_fn=_end_with_parent if _LIBC else None,
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


# Looked up before a fork: between fork and exec only what is there already may be used.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_parent() -> None:
    """A killed sweep leaves no runs behind: they get SIGTERM and write their checkpoints."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
