"""Hydra launchers of train.py's sweeps: each job is a process of its own that resumes.

Hydra's own launcher runs all jobs in one process, and that of joblib reuses its workers: state
would leak from job to job. Hydra takes launchers from packages of this name alone, and looks at
them whenever it starts: what is heavy is imported when a sweep begins.
"""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class _SweepLauncher(Launcher):
    """Hands the jobs to a place; its constructor's arguments are that place's."""

    place: str

    def __init__(self, **settings: Any) -> None:
        """See the place in ``sweeps.places``."""
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Hydra's own call; the task is run by other processes, through train.py."""
        self._context = hydra_context
        self._config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> List[JobReturn]:
        """Runs all jobs; with Hydra's basic sweeper it exits with status 1 if some failed."""
        from assembly.user_errors import one_line_errors
        from sweeps.multirun import run_sweep

        compose = self._context.config_loader.load_sweep_config
        configs = [compose(self._config, list(overrides)) for overrides in job_overrides]
        with one_line_errors():  # Hydra would show a traceback.
            return run_sweep(configs, self.place, self._settings)


class ProcessLauncher(_SweepLauncher):
    """``hydra/launcher=processes``."""

    place = "LocalProcesses"

    def __init__(self, n_jobs: int = 1, threads: Optional[int] = None) -> None:
        """See ``sweeps.places.LocalProcesses``."""
        super().__init__(n_jobs=n_jobs, threads=threads)


class SlurmLauncher(_SweepLauncher):
    """``hydra/launcher=slurm``."""

    place = "SlurmCluster"


class RayLauncher(_SweepLauncher):
    """``hydra/launcher=ray``."""

    place = "RayCluster"
