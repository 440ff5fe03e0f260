"""Saved models and checkpoints: whole, of this configuration, or one clear error."""

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model, build_part
from distortion import MeanSquaredError
from training.checkpoints import Checkpoints, restore_model, save_model
from training.step import NonFiniteGradient, TrainStep

SMALL = ("model.transforms.num_filters=4", "precision=float32")


@pytest.fixture
def make(compose):
    return lambda *overrides: build_model(compose(*SMALL, *overrides))


@pytest.fixture
def saved(make, tmp_path):
    model = make("seed=1")
    model.entropy.freeze()
    save_model(model, tmp_path / "model")
    return model, tmp_path / "model"


def test_a_saved_model_comes_back_with_its_tables(make, saved):
    model, folder = saved
    restored = make("seed=2")
    restore_model(restored, folder, steps=1)
    assert restored.entropy.frozen
    for ours, theirs in zip(restored.variables, model.variables):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.name)
    assert [path.name for path in folder.parent.iterdir()] == ["model"], "nothing temporary stays"


def test_weights_of_another_model_are_named(make, saved):
    _, folder = saved
    for other in ("model.transforms.num_filters=5", "model=factorized"):
        with pytest.raises(ValueError, match="does not hold this configuration's model"):
            restore_model(make(other), folder, steps=1)


def test_a_checkpoint_goes_on_where_it_was(make, compose, tmp_path):
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, [2, 32, 32, 3]), tf.float32)

    def start():
        model = make("quantizer=uniform_noise", "seed=3")
        optimizer = build_part(compose("steps=10").optimizer)
        step = TrainStep(model, MeanSquaredError(), optimizer, lmbda=0.01)
        return model, step, Checkpoints(tmp_path, model, optimizer)

    model, step, checkpoints = start()
    assert checkpoints.restore() == 0 and checkpoints.newest_step is None
    step(images)
    checkpoints.save(1)
    expected = [step(images).loss.numpy() for _ in range(2)]
    resumed_model, resumed_step, resumed = start()
    assert resumed.restore() == 1 and resumed.newest_step == 1
    assert [resumed_step(images).loss.numpy() for _ in range(2)] == expected
    for ours, theirs in zip(resumed_model.variables, model.variables):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.name)


def test_a_broken_parameter_is_named_with_its_step(make, compose):
    model = make("quantizer=uniform_noise")
    step = TrainStep(model, MeanSquaredError(), build_part(compose().optimizer), lmbda=0.01)
    images = tf.zeros([1, 16, 16, 3])
    step.check(step(images), step=6)
    broken = model.transforms.trainable_variables[0]
    broken.assign(tf.fill(broken.shape, np.inf))
    with pytest.raises(NonFiniteGradient, match=r"step 7: the gradient of \S+ .*is not finite"):
        step.check(step(images), step=7)
