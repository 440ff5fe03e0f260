"""Lookup-free quantization: the signs of a group of channels are the bits of its index.

Yu et al. 2023, "Language model beats diffusion: tokenizer is key to visual generation", arXiv
2310.05737. Entropies are exact: given the latents, the signs are independent, and the batch's
average distribution is summed over all ``2 ** dim`` indices of a group.
"""

from __future__ import annotations

from typing import Dict

import numpy as np
import tensorflow as tf

from quantizers.base.contract import Quantized
from quantizers.base.indices import (
    IndexQuantizer,
    bounded,
    mean_square,
    number_of_groups,
    with_gradient_of,
)

LARGEST_DIM = 12
"""Rate and batch entropy hold ``2 ** dim`` numbers for each group and position."""


class LookupFreeQuantizer(IndexQuantizer):
    """Signs, straight-through; bit ``i`` of an index is set if channel ``i`` is not negative.

    The assignment is ``q(index | y) = prod_i sigmoid(2 b_i y_i / temperature)`` with signs b. The
    rate's gradient passes through it and reaches the encoder. The penalty is, in nats and means,
    ``entropy_weight * (entropy of q - entropy of the batch's mean q)`` per group, plus
    ``commitment * (y - b)^2`` per channel.

    Example: latents ``[8, 16, 16, 64]`` with ``dim=8`` give symbols ``[8, 16, 16, 8]`` below 256.
    """

    def __init__(
        self,
        *,
        dim: int = 8,
        entropy_weight: float = 0.1,
        commitment: float = 0.25,
        temperature: float = 1.0,
    ):
        """Takes the settings.

        Args:
            dim: channels of a group, 1 to 12; must divide the latent channels.
            entropy_weight: favours certain assignments and even usage; not negative.
            commitment: favours latents near -1 and 1; not negative.
            temperature: width of the soft assignment, positive.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="lookup_free")
        if not 1 <= dim <= LARGEST_DIM:
            raise ValueError(f"dim={dim} must be 1 to {LARGEST_DIM}: memory grows with 2 ** dim.")
        for name, weight in (("entropy_weight", entropy_weight), ("commitment", commitment)):
            if weight < 0:
                raise ValueError(f"{name}={weight} must not be negative.")
        if temperature <= 0:
            raise ValueError(f"temperature={temperature} must be positive.")
        self._dim = dim
        self._entropy_weight = entropy_weight
        self._commitment = commitment
        self._temperature = temperature
        self._bits = (np.arange(2**dim) >> np.arange(dim)[:, np.newaxis] & 1).astype(np.float32)

    def build(self, channels: int) -> None:
        """One symbol per group of ``dim`` channels."""
        self._set_sizes([2**self._dim] * number_of_groups(channels, self._dim))

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        """Indices int32 ``[..., channels / dim]``; 0 counts as positive."""
        bits = tf.cast(self._groups(bounded(latents)) >= 0, tf.int32)
        return tf.reduce_sum(bits * 2 ** np.arange(self._dim, dtype=np.int32), axis=-1)

    def decode(self, symbols: tf.Tensor, seed: None = None) -> tf.Tensor:
        """Signs float32 ``[..., channels]``, -1 or 1, of int32 ``[..., channels / dim]``."""
        del seed
        shifted = tf.bitwise.right_shift(
            symbols[..., tf.newaxis], tf.range(self._dim, dtype=tf.int32)
        )
        signs = tf.cast(tf.bitwise.bitwise_and(shifted, 1), tf.float32) * 2 - 1
        shape = tf.concat([tf.shape(symbols)[:-1], [len(self._sizes) * self._dim]], axis=0)
        return tf.reshape(signs, shape)

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"dim": self._dim}

    def _train(self, latents: tf.Tensor) -> Quantized:
        symbols = self.encode(latents)
        signs = tf.ensure_shape(self.decode(symbols), latents.shape)
        logits = self._groups(latents) * (2.0 / self._temperature)
        soft = tf.exp(
            tf.tensordot(tf.math.log_sigmoid(logits), self._bits, axes=1)
            + tf.tensordot(tf.math.log_sigmoid(-logits), 1 - self._bits, axes=1)
        )
        penalty = self._commitment * mean_square(latents - signs)
        if self._entropy_weight:
            penalty += self._entropy_weight * self._entropy_gap(logits, soft)
        return Quantized(
            rate_input=with_gradient_of(soft, hard=self._one_hot(symbols)),
            decoder_input=with_gradient_of(latents, hard=signs),
            penalty=penalty,
        )

    def _entropy_gap(self, logits: tf.Tensor, soft: tf.Tensor) -> tf.Tensor:
        """Mean entropy of the assignments less the entropy of their mean, nats per group."""
        groups, size = soft.shape[-2:]
        vectors = tf.reshape(soft, [-1, groups, size])
        number = tf.cast(tf.maximum(tf.shape(vectors)[0], 1), tf.float32)
        bits = tf.nn.softplus(logits) - logits * tf.sigmoid(logits)
        of_each = tf.reduce_sum(bits) / (number * groups)
        average = tf.reduce_sum(vectors, axis=0) / number
        # The 1e-20 keeps the slope finite at an index of probability 0.
        of_batch = -tf.reduce_sum(average * tf.math.log(average + 1e-20)) / groups
        return of_each - of_batch

    def _groups(self, latents: tf.Tensor) -> tf.Tensor:
        shape = tf.concat([tf.shape(latents)[:-1], [len(self._sizes), self._dim]], axis=0)
        groups = tf.reshape(latents, shape)
        return tf.ensure_shape(groups, [*latents.shape[:-1], len(self._sizes), self._dim])
