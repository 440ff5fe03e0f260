"""Hydra plugins for sweeps of train.py: each job is a process of its own, which resumes.

State would leak from job to job with Hydra's own launcher, which runs all jobs in one process, and
with that of joblib, which reuses its workers. Hydra only takes plugins from packages of this name.
Every command imports this one, so everything heavy is imported when a sweep begins.
"""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

COMBINATIONS = "hydra_plugins.roundtrip_launcher.CombinationSweeper"


def register_plugins() -> None:
    """Registers the launcher, and the sweeper as ``hydra/sweeper=basic``, which is the default.

    Hydra finds plugins on sys.path alone: not if the command was started from another folder.
    """
    plugins = Plugins.instance()  # Makes Hydra look for plugins, which may define these anew.
    for plugin in (CombinationSweeper, SweepLauncher):
        plugins.register(plugin)
    sweeper = {"_target_": COMBINATIONS, "max_batch_size": None, "params": None}
    ConfigStore.instance().store("basic", sweeper, group="hydra/sweeper")


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

    def check(self, job_overrides: Sequence[Sequence[str]]) -> None:
        """Ends the command with one line and status 2 if a job names something that is not there.

        So it does if a scalar is out of its range, two jobs have the same run directory, or the
        table cannot be written.
        """
        from assembly.user_errors import one_line_errors

        with one_line_errors():  # Hydra would show a traceback.
            configs = self._composed(job_overrides)
            from signals.files import check_output
            from sweeps.multirun import check_scalars, distinct_jobs  # TensorFlow: seconds.

            check_scalars(configs)
            distinct_jobs(configs)
            table_file = self._settings.get("table_file")
            if table_file is not None:
                check_output(str(table_file))

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> List[JobReturn]:
        """Runs all jobs; with `CombinationSweeper`, exits with status 1 if some failed."""
        from assembly.user_errors import one_line_errors
        from sweeps.multirun import run_sweep

        with one_line_errors():
            return run_sweep(self._composed(job_overrides), **self._settings)

    def _composed(self, job_overrides: Sequence[Sequence[str]]) -> List[DictConfig]:
        compose = self._context.config_loader.load_sweep_config
        return [compose(self._config, list(overrides)) for overrides in job_overrides]


class CombinationSweeper(BasicSweeper):
    """Hydra's basic sweeper, which checks all jobs before it makes a folder and multirun.yaml."""

    def split_arguments(
        self, overrides: List[Override], max_batch_size: Optional[int]
    ) -> List[List[List[str]]]:
        """Called by `BasicSweeper.sweep` before it writes anything."""
        batches = super().split_arguments(overrides, max_batch_size)
        if isinstance(self.launcher, SweepLauncher):
            self.launcher.check([job for batch in batches for job in batch])
        return batches

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Is done before."""
