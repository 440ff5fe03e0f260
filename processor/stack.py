"""What differs between the two stacks of TensorFlow; docs/installation.md says which there are.

All modules take Keras from here: TensorFlow 2.16 and later call Keras 3 ``tf.keras``, unless the
environment says otherwise before it is first used (see ``set_process``).
"""

from __future__ import annotations

import tensorflow as tf

if tuple(int(part) for part in tf.__version__.split(".")[:2]) < (2, 16):
    import tensorflow_compression as range_coder
    from tensorflow import keras
else:
    import tensorflow_compression_ops as range_coder
    import tf_keras as keras

__all__ = ["keras", "range_coder"]
