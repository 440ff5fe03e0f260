"""What the process of a sweep's job is given on its command line, and when it is stopped."""

import hydra
import pytest
from hydra.conf import ConfigSourceInfo
from omegaconf import open_dict

from assembly.choices import CONFIGS
from sweeps.backends import Backend
from sweeps.multirun import _job


def job(*overrides, sources=()):
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = hydra.compose("train", list(overrides), return_hydra_config=True)
    with open_dict(config):
        config.hydra.runtime.config_sources = list(sources)
    return _job(config)


def test_a_job_finds_its_own_configs_and_run(tmp_path):
    own = ConfigSourceInfo(provider="command-line", path="/my/configs", schema="file")
    project = ConfigSourceInfo(provider="main", path=str(CONFIGS), schema="file")
    overrides = ("seed=1", "hydra.launcher.n_jobs=2", f"run={tmp_path}/a-1")
    assert job(*overrides, sources=[project, own]).overrides == [
        "--config-dir=/my/configs",
        "seed=1",
        f"run={tmp_path}/a-1",
    ]


def test_a_job_gets_any_name_as_it_is(tmp_path):
    assert job(f"run='{tmp_path}/a (1)=é'").overrides == [f"run='{tmp_path}/a (1)=é'"]


class SlowStart(Backend):
    """Ctrl-C comes while its job is being started."""

    def _connect(self, n_jobs):
        self.stopped = []
        return "nothing"

    def _start(self, job):
        self.interrupt()
        return job

    def _wait(self, handle):
        return 130 if handle in self.stopped else 0

    def _stop(self, handle):
        self.stopped.append(handle)


def test_ctrl_c_stops_a_job_that_is_being_started():
    backend = SlowStart(1, None)
    assert backend.submit("a").result() == 130 and backend.stopped == ["a"]


@pytest.mark.parametrize(
    "n_jobs, threads, named",
    [
        ("a", 1, "n_jobs='a'"),
        (None, 1, "n_jobs=None"),
        (1.5, 1, "n_jobs=1.5"),
        (0, 1, "n_jobs=0"),
        (1, 1.5, "threads=1.5"),
        (1, "two", "threads='two'"),
        (1, 0, "threads=0"),
    ],
)
def test_numbers_of_jobs_and_threads_are_whole(n_jobs, threads, named):
    with pytest.raises(ValueError, match=rf"^hydra\.launcher\.{named} must be a whole number"):
        SlowStart(n_jobs, threads)
