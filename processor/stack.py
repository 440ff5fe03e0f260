"""What differs between the two stacks of TensorFlow; docs/installation.md says which there are.

All modules take Keras from here: TensorFlow 2.16 and later call Keras 3 ``tf.keras``, unless the
environment says otherwise before TensorFlow is imported (see ``set_process``).
"""

from __future__ import annotations

import random

import tensorflow as tf

IS_NEW = tuple(int(part) for part in tf.__version__.split(".")[:2]) >= (2, 16)

if IS_NEW:
    import tensorflow_compression_ops as range_coder
    import tf_keras as keras
    from tf_keras.src import backend
else:
    import tensorflow_compression as range_coder
    from tensorflow import keras

__all__ = ["keras", "range_coder", "set_random_seed"]


def set_random_seed(seed: int) -> None:
    """``keras.utils.set_random_seed``; equal seeds give equal initial weights on both stacks."""
    keras.utils.set_random_seed(seed)
    if IS_NEW:
        backend._SEED_GENERATOR.generator = _Seeds(seed)


class _Seeds(random.Random):
    """Where Keras draws seeds of initializers: up to ``1e9``, a float, as Python 3.12 forbids."""

    def randint(self, lowest, highest):
        return super().randint(lowest, int(highest))
