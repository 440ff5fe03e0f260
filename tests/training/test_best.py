"""The weights with the least validation loss: which are kept, and what is saved of them."""

import os
import pathlib
import signal
import subprocess
import sys
from types import SimpleNamespace
from unittest import mock

import pytest
import tensorflow as tf

from training import loop
from training.best import Best, BestWeights, model_folder, read_record
from training.checkpoints import Checkpoints
from training.run_directory import RunDirectory

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Model(tf.Module):
    """What checkpoints ask of an autoencoder."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(0.0)
        self.advanced = []
        self.frozen = 0

    def advance(self, step):
        self.advanced.append(step)

    def freeze(self):
        self.frozen += 1


@pytest.fixture
def model():
    return Model()


def offer(folder, model, losses):
    for step, loss in losses.items():
        model.weight.assign(step)
        BestWeights(folder, model).offer(step, loss)  # Anew: as after an interruption.


def test_keeps_the_first_of_the_least_losses(model, tmp_path):
    assert BestWeights(tmp_path, model).record is None
    offer(tmp_path, model, {10: 3.0, 20: 1.0, 30: 1.0, 40: 2.0})
    assert BestWeights(tmp_path, model).record == Best(20, 1.0)


def test_saves_them_and_gives_the_model_its_own_weights_back(model, tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints", model, tf.Variable(0.0))
    checkpoints.save(40)
    offer(tmp_path / "checkpoints", model, {20: 1.0, 30: 2.0})
    model.weight.assign(40.0)
    checkpoints.save(40)
    best = BestWeights(tmp_path / "checkpoints", model)
    best.save_model(tmp_path / "best", model, checkpoints, b"config")
    assert model.weight == 40 and model.frozen == 1 and model.advanced == [19, 39]
    saved = Model()
    tf.train.Checkpoint(model=saved).read(str(tmp_path / "best" / "weights"))
    assert saved.weight == 20 and read_record(tmp_path / "best") == Best(20, 1.0)


def test_the_newest_ones_are_frozen_once(model, tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints", model, tf.Variable(0.0))
    offer(tmp_path / "checkpoints", model, {20: 2.0, 40: 1.0})
    checkpoints.save(40)
    best = BestWeights(tmp_path / "checkpoints", model)
    best.save_model(tmp_path / "best", model, checkpoints, b"config")
    assert model.frozen == 1 and model.advanced == []
    assert read_record(tmp_path / "best") == Best(40, 1.0)


def test_damaged_ones_count_as_none(model, tmp_path, damage):
    offer(tmp_path, model, {10: 1.0})
    damage(tmp_path / "best" / "best.json", "truncated")
    assert BestWeights(tmp_path, model).record is None
    offer(tmp_path, model, {20: 5.0})
    assert BestWeights(tmp_path, model).record == Best(20, 5.0)


def test_a_run_without_them_says_so(tmp_path):
    directory = RunDirectory(tmp_path)
    assert model_folder(directory, "last") == directory.model
    with pytest.raises(ValueError, match="kept no best weights"):
        model_folder(directory, "best")
    with pytest.raises(ValueError, match="checkpoint='first' must be one of last, best"):
        model_folder(directory, "first")


KILLED = """
import os, pathlib, signal, sys
from training import whole_folder

def replace(old, new):
    if old == temporary:
        os.kill(os.getpid(), signal.SIGKILL)
    os.rename(old, new)

folder = pathlib.Path(sys.argv[1])
temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
os.replace = replace
whole_folder.write_whole(folder, lambda path: None)
"""


def test_a_kill_between_two_names_leaves_the_ones_before(model, tmp_path):
    offer(tmp_path, model, {10: 2.0})
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "best"], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "best").exists()
    checkpoints = Checkpoints(tmp_path, model, tf.Variable(0.0))
    best = BestWeights(tmp_path, model)
    checkpoints.save(20)
    assert best.record == Best(10, 2.0)
    best.offer(30, 1.0)
    assert best.record == Best(30, 1.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "step-20"]


@pytest.fixture
def fit(model, tmp_path, monkeypatch):
    """``fit(validate, checkpoints)``: 4 steps of a run, with a checkpoint after each second one."""
    monkeypatch.setattr(loop, "Progress", mock.MagicMock())
    monkeypatch.setattr(loop, "log_columns", mock.MagicMock())
    model.transforms = None
    train_step = mock.MagicMock(annealed={})
    train_step.side_effect = lambda _: model.weight.assign_add(1) and mock.MagicMock()

    def fit(validate, checkpoints):
        loop.fit(
            model=model,
            train_step=train_step,
            checkpoints=checkpoints,
            batches_from=lambda step: tf.data.Dataset.from_tensors(0.0).repeat(),
            settings=SimpleNamespace(steps=4, batch_size=1, log_every=4, checkpoint_every=2),
            folder=tmp_path,
            monitor=mock.MagicMock(),
            validate=validate,
            best=BestWeights(tmp_path / "checkpoints", model),
        )

    return fit


@pytest.fixture
def checkpoints(model, tmp_path):
    return Checkpoints(tmp_path / "checkpoints", model, tf.Variable(0.0))


class Killed(Exception):
    """In place of a process's end."""


def test_a_kill_while_validating_loses_no_offer(fit, checkpoints, model, tmp_path):
    with pytest.raises(Killed):
        fit(mock.MagicMock(side_effect=Killed), checkpoints)
    model.weight.assign(0.0)
    validated = []
    fit(lambda step: validated.append(step) or {"loss": float(step)}, checkpoints)
    assert validated == [2, 4] and model.weight == 4 and checkpoints.newest_step == 4
    assert BestWeights(tmp_path / "checkpoints", model).record == Best(2, 2.0)


@pytest.mark.parametrize("during", ["validation", "save"])
def test_a_signal_after_the_last_step_stops_too(fit, checkpoints, monkeypatch, during):
    save, steps = checkpoints.save, []

    def signalled(name, step):
        if name == during and step == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return {}

    monkeypatch.setattr(checkpoints, "save", lambda step: save(step) or signalled("save", step))
    with pytest.raises(loop.Interrupted, match="checkpoint at step 4"):
        fit(lambda step: signalled("validation", step), checkpoints)
    assert checkpoints.newest_step == 4
    fit(lambda step: steps.append(step) or {}, checkpoints)
    assert steps == [], "the same command goes on behind the training"


def test_a_signal_while_saving_stops_with_the_step_that_it_names(fit, checkpoints, monkeypatch):
    save = checkpoints.save

    def signalled(step):
        save(step)
        if step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(checkpoints, "save", signalled)
    validate = mock.MagicMock(return_value={})
    with pytest.raises(loop.Interrupted, match="checkpoint at step 3"):
        fit(validate, checkpoints)
    assert checkpoints.newest_step == 3
    assert [call.args[0] for call in validate.call_args_list] == [2], "3 was not due"
