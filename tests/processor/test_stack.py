"""One Keras for the project and for layers of a user's own, and equal weights on both stacks."""

import numpy as np
import tensorflow as tf

from processor.stack import keras, set_random_seed


def test_commands_have_one_keras():
    """The suite sets the process as commands do."""
    assert tf.keras.layers.Layer is keras.layers.Layer
    assert issubclass(keras.layers.Layer, tf.Module)


def test_initial_weights_are_those_of_every_stack():
    set_random_seed(7)
    layers = [keras.layers.Dense(2), keras.layers.Conv2D(1, 1)]
    for layer in layers:
        layer.build([None, None, None, 2])
    weights = np.concatenate([np.ravel(layer.kernel) for layer in layers])
    pinned = [-0.447230, 0.563065, 1.111862, -0.417555, 1.211915, 1.072570]
    np.testing.assert_allclose(weights, pinned, atol=1e-6)
