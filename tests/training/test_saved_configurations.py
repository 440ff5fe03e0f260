"""Runs that were saved before classes moved still build, from their ``config.yaml`` alone."""

import inspect
import pathlib

import pytest
from hydra.utils import get_class
from omegaconf import OmegaConf

from assembly.parts import build_model, build_part
from training.older_configurations import ADDED, MOVED, up_to_date
from training.run_directory import RunDirectory

SAVED = OmegaConf.load(pathlib.Path(__file__).with_name("saved_0_1_0.yaml"))
CHOICES = [(group, name) for group, choices in SAVED.choices.items() for name in choices]


@pytest.fixture
def load(tmp_path):
    """``load(group, name)``: the configuration of a run that was saved with that choice."""

    def load(group, name):
        config = SAVED.config.copy()
        config[group] = SAVED.choices[group][name]
        if "data.sample_rate" in OmegaConf.to_yaml(config[group]):
            config.data = SAVED.choices.data.tones
        tmp_path.joinpath("config.yaml").write_text(OmegaConf.to_yaml(config))
        return RunDirectory(tmp_path).load_config()

    return load


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_builds(load, group, name):
    config = load(group, name)
    if group == "model":
        assert build_model(config).transforms.medium in ("image", "audio")
    elif group == "data":  # Some need a folder or a download: the arguments are still known.
        _, *arguments = config.data
        inspect.signature(get_class(config.data._target_)).bind(**dict.fromkeys(arguments))
    else:
        assert build_part(config[group]) is not None


def without_targets(node):
    if isinstance(node, list):
        return [without_targets(value) for value in node]
    if not isinstance(node, dict):
        return node
    return {key: without_targets(value) for key, value in node.items() if key != "_target_"}


def test_values_and_interpolations_are_kept(load):
    loaded = OmegaConf.to_container(load("quantizer", "soft_round"))
    alpha = loaded["quantizer"]["decoder"]["alpha"]
    assert alpha["_target_"] == "quantizers.base.schedules.Linear"
    assert without_targets(loaded) == without_targets(OmegaConf.to_container(SAVED.config))


def test_a_run_that_was_not_finished_resumes(load, tmp_path):
    load("quantizer", "soft_round")
    now = OmegaConf.create(up_to_date(OmegaConf.to_container(SAVED.config)))
    assert RunDirectory(tmp_path).differences(now) == []
    RunDirectory(tmp_path).open(now, overwrite=False)


@pytest.mark.parametrize("name", ["hyperprior", "channel_autoregressive"])
def test_arguments_that_came_later_have_the_value_of_before(load, name):
    assert "padding" not in SAVED.choices.model[name].hyper
    loaded = load("model", name).model.hyper
    assert loaded.padding == "zeros" and ADDED[loaded._target_] == {"padding": "zeros"}
    assert up_to_date({"_target_": loaded._target_, "padding": "edge"})["padding"] == "edge"


def test_no_name_moves_twice():
    assert all(not new.startswith(tuple(MOVED)) for new in MOVED.values())
