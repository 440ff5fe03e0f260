"""Settings of the whole suite."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# Prepared datasets stay in the checkout, out of the user's own.
os.environ.setdefault("TFDS_DATA_DIR", str(ROOT / "build" / "tfds"))


def config_names(group):
    """Choices of a configuration group: a contract test finds a new file by its being there."""
    return sorted(path.stem for path in (ROOT / "configs" / group).glob("*.yaml"))


def pytest_generate_tests(metafunc):
    """A test that takes ``quantizer_name`` runs once for each YAML of the group."""
    for group in ("quantizer", "model", "entropy", "distortion", "optimizer", "refinement"):
        if f"{group}_name" in metafunc.fixturenames:
            metafunc.parametrize(f"{group}_name", config_names(group))


@pytest.fixture
def compose():
    """``compose("quantizer=mixed", ...)``: the configuration that train.py would see."""
    import hydra
    from hydra.core.config_store import ConfigStore

    from training.settings import Settings

    ConfigStore.instance().store(name="settings", node=Settings)

    def compose_train(*overrides):
        with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            return hydra.compose("train", overrides=list(overrides))

    return compose_train
