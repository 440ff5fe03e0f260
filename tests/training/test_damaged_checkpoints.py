"""Checkpoints that a disk damaged: the newest whole one is restored, whatever happened."""

import os
import resource

import pytest
import tensorflow as tf

from training.checkpoints import Checkpoints, model_digest, restore_model, save_model
from training.whole_folder import SUMS, write_whole

FILES = ("state.index", "state.data-00000-of-00001", SUMS, "config.yaml")


class Model(tf.Module):
    """As little as a checkpoint can hold."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable(tf.zeros(1000))

    def advance(self, step):
        self.step = step


def checkpoints_in(folder, **settings):
    model = Model()
    return model, Checkpoints(folder, model, tf.Variable(0.0), **settings)


@pytest.fixture
def folder(tmp_path):
    """Checkpoints at steps 20 and 40, of three that were written."""
    model, checkpoints = checkpoints_in(tmp_path / "checkpoints", config=b"lmbda: 1\n")
    for step in (10, 20, 40):
        model.weights.assign(tf.fill([1000], float(step)))
        checkpoints.save(step)
    return tmp_path / "checkpoints"


def restored(folder):
    model, checkpoints = checkpoints_in(folder)
    step = checkpoints.restore()
    assert (model.weights.numpy() == step).all(), "weights are those of the step"

    def save(step):
        model.weights.assign(tf.fill([1000], float(step)))
        checkpoints.save(step)

    return step, save


def test_two_are_kept_whole_and_nothing_temporary(folder, capsys):
    assert sorted(path.name for path in folder.iterdir()) == ["step-20", "step-40"]
    assert {path.name for path in (folder / "step-40").iterdir()} == set(FILES)
    assert restored(folder)[0] == 40 and capsys.readouterr().err == ""


@pytest.mark.parametrize("name", FILES)
def test_the_one_before_is_restored(folder, capsys, damage, name, damage_kind):
    damage(folder / "step-40" / name, damage_kind)
    step, save = restored(folder)
    warnings = capsys.readouterr().err.splitlines()
    if (name, damage_kind) == (SUMS, "missing"):
        assert step == 40, "TensorFlow's own checksums show that the weights are whole"
        return
    assert step == 20 and len(warnings) == 1
    assert "warning: the checkpoint at step 40 is damaged" in warnings[0]
    save(40)
    assert restored(folder)[0] == 40, "the damaged one is replaced"


@pytest.mark.parametrize("name", FILES[:2])
def test_damage_shows_without_our_checksums_too(folder, damage, name, damage_kind):
    (folder / "step-40" / SUMS).unlink()
    damage(folder / "step-40" / name, damage_kind)
    assert restored(folder)[0] == 20


def test_an_earlier_save_after_damage_is_the_newest(folder, damage):
    damage(folder / "step-40" / FILES[0], "empty")
    restored(folder)[1](30)
    assert sorted(path.name for path in folder.iterdir()) == ["step-20", "step-30"]
    assert restored(folder)[0] == 30


def test_without_a_whole_one_it_refuses(folder, damage):
    for step in (20, 40):
        damage(folder / f"step-{step}" / FILES[1], "flipped")
    assert checkpoints_in(folder)[1].newest_step is None
    with pytest.raises(ValueError, match=r"step 40 is damaged .*step 20 .*overwrite=true"):
        checkpoints_in(folder)[1].restore()


def older_checkpoints(folder):
    """As runs were saved before checkpoints had folders of their own."""
    model, step = Model(), tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=tf.Variable(0.0), step=step)
    manager = tf.train.CheckpointManager(checkpoint, os.fspath(folder), max_to_keep=2)
    for number in (20, 40):
        model.weights.assign(tf.fill([1000], float(number)))
        step.assign(number)
        manager.save(checkpoint_number=number)


@pytest.mark.parametrize(
    "name", [None, "checkpoint", "ckpt-40.index", "ckpt-40.data-00000-of-00001"]
)
def test_checkpoints_of_older_runs(tmp_path, damage, name, damage_kind):
    older_checkpoints(tmp_path)
    if name is not None:
        damage(tmp_path / name, damage_kind)
    step, save = restored(tmp_path)
    assert step == (40 if name is None or name == "checkpoint" else 20)
    save(50)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept[-1] == "step-50" and all(path.startswith(f"ckpt-{step}.") for path in kept[:-1])


@pytest.mark.parametrize("parent", ["[x]", "a*b", "q?", "back\\slash", "{a,b}", "é =(1)"])
def test_any_name_of_a_folder(tmp_path, parent):
    folder = tmp_path / parent / "checkpoints"
    folder.parent.mkdir()
    model, checkpoints = checkpoints_in(folder)
    model.weights.assign(tf.fill([1000], 3.0))
    checkpoints.save(3)
    assert restored(folder)[0] == 3
    (folder / "step-3" / SUMS).unlink()
    assert restored(folder)[0] == 3
    save_model(model, tmp_path / parent / "model")
    restore_model(Model(), tmp_path / parent / "model", steps=3)


@pytest.mark.parametrize("name", ["weights.index", "weights.data-00000-of-00001"])
def test_a_damaged_model_is_named(tmp_path, damage, name, damage_kind):
    save_model(Model(), tmp_path / "model", b"lmbda: 1\n")
    damage(tmp_path / "model" / name, damage_kind)
    with pytest.raises(ValueError, match=rf"model'? is damaged \({name}.*train.py command"):
        restore_model(Model(), tmp_path / "model", steps=1)


def test_the_digest_is_of_the_weights_alone(tmp_path):
    model = Model()
    save_model(model, tmp_path / "a")
    save_model(model, tmp_path / "b", b"lmbda: 1\n")
    assert model_digest(tmp_path / "a") == model_digest(tmp_path / "b")


def test_a_full_disk_leaves_what_was_there(folder):
    save = restored(folder)[1]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises((OSError, tf.errors.OpError)):
            save(60)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(path.name for path in folder.iterdir()) == ["step-20", "step-40"]
    assert restored(folder)[0] == 40


def test_a_run_that_was_deleted_stays_so(folder):
    save = restored(folder)[1]
    folder.parent.rename(folder.parent.with_name("elsewhere"))
    with pytest.raises(FileNotFoundError):
        save(60)
    assert not folder.parent.exists()


def test_a_folder_takes_the_place_of_a_damaged_one_whole(tmp_path):
    folder = tmp_path / "model"
    write_whole(folder, lambda path: (path / "a").write_bytes(b"1"))

    def fail(path):
        (path / "a").write_bytes(b"2")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(folder, fail)
    assert (folder / "a").read_bytes() == b"1" and [*tmp_path.iterdir()] == [folder]
