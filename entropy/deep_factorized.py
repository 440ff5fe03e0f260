"""The log-likelihood of TFC's noisy deep factorized density, from two network passes.

TFC's own ``log_prob`` takes four, which costs a training step 4 % in float32 and 7 % in bfloat16.
This reads the density's private parameters: TFC is pinned to its last release, and a test compares.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_compression as tfc


def sum_log_probabilities(density: tfc.NoisyDeepFactorized, values: tf.Tensor) -> tf.Tensor:
    """Natural logarithm of the likelihood of each example, as ``density.log_prob`` summed.

    TFC evaluates the network behind the cumulative distribution at four points (twice ``v + 1/2``,
    twice ``v - 1/2``) and transposes each time; two are enough. With logits a and b of the
    cumulative at the two ends, ``sigmoid(a) - sigmoid(b)`` is
    ``sigmoid(a) sigmoid(-b) (1 - exp(b - a))``, in which no term loses digits in either tail.

    Args:
        density: of ``channels`` channels.
        values: float32 ``[batch, height, width, channels]``.

    Returns:
        float32 ``[batch]``, nats.
    """
    base = density.base
    channels = base.batch_shape.num_elements()
    matrices = [tf.nn.softplus(matrix) for matrix in base._matrices]
    factors = [tf.math.tanh(factor) for factor in base._factors]

    def logits_of_cumulative(points):  # [channels, 1, positions]
        logits = points
        for layer, matrix in enumerate(matrices):
            logits = tf.linalg.matmul(matrix, logits) + base._biases[layer]
            if layer < len(factors):
                logits += factors[layer] * tf.math.tanh(logits)
        return logits

    points = tf.transpose(tf.reshape(values, [-1, channels]))[:, tf.newaxis]
    upper, lower = logits_of_cumulative(points + 0.5), logits_of_cumulative(points - 0.5)
    # Positive in exact arithmetic; the bound keeps the logarithm and its slope finite without.
    width = tf.maximum(upper - lower, 1e-12)
    log_probabilities = tf.math.log(-tf.math.expm1(-width)) - (
        tf.nn.softplus(-upper) + tf.nn.softplus(lower)
    )
    by_example = tf.reshape(log_probabilities, [channels, tf.shape(values)[0], -1])
    return tf.reduce_sum(by_example, axis=(0, 2))
