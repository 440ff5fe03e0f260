"""Hydra launcher for sweeps of train.py: each job is a process of its own, which resumes.

State would leak from job to job with Hydra's own launcher, which runs all jobs in one process, and
with that of joblib, which reuses its workers. Hydra only takes launchers from packages of this
name. Every command imports this one, so everything heavy is imported when a sweep begins.
"""

from __future__ import annotations

from typing import Any, List, Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SweepLauncher(Launcher):
    """Runs jobs on one of ``sweeps.backends``."""

    def __init__(self, **settings: Any) -> None:
        """Takes the arguments of ``sweeps.multirun.run_sweep``."""
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Called by Hydra. Other processes run the task, through train.py."""
        self._context = hydra_context
        self._config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> List[JobReturn]:
        """Runs all jobs; with Hydra's basic sweeper, exits with status 1 if some failed."""
        from assembly.user_errors import one_line_errors
        from sweeps.multirun import run_sweep

        compose = self._context.config_loader.load_sweep_config
        with one_line_errors():  # Hydra would show a traceback.
            configs = [compose(self._config, list(overrides)) for overrides in job_overrides]
            return run_sweep(configs, **self._settings)
