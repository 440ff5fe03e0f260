"""What every optimizer must do: runs over each YAML of configs/optimizer, found by its name."""

import math

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_part
from processor.stack import keras
from training.optimizers import ConstantThenLinear, adam

STEPS = 200


@pytest.fixture
def node(optimizer_name, compose):
    return lambda steps=STEPS: compose(f"optimizer={optimizer_name}", f"steps={steps}").optimizer


def move_at(optimizer, step):
    """What a step does to a variable, and the learning rate by which it did."""
    x = tf.Variable([0.0])
    optimizer.build([x])
    optimizer.iterations.assign(step)
    optimizer.apply_gradients([(tf.constant([1e-2]), x)])
    return float(x), float(optimizer.learning_rate)


def test_lowers_a_quadratic(node):
    """``sum(curvature * (x - 1)^2)`` of unlike curvatures, from a distance of 0.1."""
    x, optimizer, losses = tf.Variable([0.9, 1.1, 1.1]), build_part(node()), []
    optimizer.build([x])
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum([0.1, 1.0, 10.0] * (x - 1) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, [x]), [x]))
        losses.append(float(loss))
    assert losses[1] < losses[0] and losses[-1] < 0.1 * losses[0]
    assert int(optimizer.iterations) == STEPS


def test_the_learning_rate_is_a_function_of_the_share_of_steps(node):
    """So a run that resumes goes on at the rate it had, and a longer run anneals as far."""

    def rates(length, steps):
        return [move_at(build_part(node(length)), step)[1] for step in steps]

    steps = [0, 1, STEPS // 2, STEPS * 3 // 4, STEPS - 1, STEPS, 2 * STEPS]
    found = rates(STEPS, steps)
    assert found == pytest.approx(rates(10 * STEPS, [10 * step for step in steps]), rel=1e-3)
    assert min(found) >= 0 and found[-1] == found[-2]
    for key, rate in (("learning_rate", found[0]), ("final_learning_rate", found[-1])):
        assert node().get(key, rate) == pytest.approx(rate, rel=1e-3)


def test_a_step_is_as_long_as_the_rate_in_force(node):
    """Two runs of which one is at its end, and all else equal."""
    (move, rate), (longer, full) = (
        move_at(build_part(node(length)), STEPS - 1) for length in (STEPS, 10**6)
    )
    assert move < 0 and move / longer == pytest.approx(rate / full, rel=1e-4)


@pytest.mark.parametrize("wrong", [-1.0, math.nan])
def test_a_wrong_number_is_one_error_that_names_it(node, wrong):
    numbers = [key for key, value in node().items() if type(value) in (int, float)]
    for key in numbers:
        if key == "steps":  # The settings check it.
            continue
        config = node()
        config[key] = wrong
        with pytest.raises(ValueError, match=rf"^(optimizer\.)?{key}={wrong} must be "):
            build_part(config)


def test_adam_is_keras_adam():
    """The same parameters after steps with gradients of very different sizes."""
    ours = adam(steps=20, learning_rate=1e-2, clip_norm=5.0)
    schedule = ConstantThenLinear(1e-2, 1e-5, 20, 0.4)
    theirs = keras.optimizers.Adam(schedule, global_clipnorm=5.0)
    generator = np.random.default_rng(0)
    gradients = generator.standard_normal((20, 7)) * 10.0 ** np.arange(-6, 1)
    found = []
    for optimizer in (ours, theirs):
        x = tf.Variable(tf.zeros([7]))
        optimizer.build([x])
        for gradient in gradients.astype(np.float32):
            optimizer.apply_gradients([(tf.constant(gradient), x)])
        found.append(x.numpy())
    np.testing.assert_allclose(*found, rtol=1e-5)
