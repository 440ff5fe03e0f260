"""What quantizers with finite alphabets share: exact one-hot values with a gradient."""

from __future__ import annotations

from typing import Optional, Tuple

import tensorflow as tf

from quantizers.base.contract import Indices, Quantized, Quantizer, with_nan_of

LARGEST_LATENT = 2.0**20
"""Latents are clipped to this magnitude, which keeps squared distances finite."""


class IndexQuantizer(Quantizer):
    """Base of the quantizers whose symbols are indices.

    A subclass calls ``_set_sizes`` in ``build``; its ``_train`` is given bounded latents.
    """

    _sizes: Optional[Tuple[int, ...]] = None

    @property
    def alphabet(self) -> Indices:
        """What the symbols are; known after ``build``."""
        if self._sizes is None:
            raise RuntimeError("build(channels) decides the alphabet: call it first.")
        return Indices(tuple(self._sizes))

    def __call__(self, latents: tf.Tensor, training: bool) -> Quantized:
        """See ``Quantizer``; the rate input is exactly one-hot in training, too."""
        quantized = super().__call__(bounded(latents), training)
        seen = with_nan_of(latents, quantized.decoder_input)
        return quantized._replace(decoder_input=seen)

    def _rate_input(self, symbols: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        del values
        return self._one_hot(symbols)

    def _set_sizes(self, sizes) -> None:
        self._sizes = tuple(int(size) for size in sizes)

    def _one_hot(self, symbols: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(symbols, max(self.alphabet.sizes))


def bounded(latents: tf.Tensor) -> tf.Tensor:
    """Latents of any floating type as float32 of magnitude up to ``LARGEST_LATENT``."""
    return tf.clip_by_value(tf.cast(latents, tf.float32), -LARGEST_LATENT, LARGEST_LATENT)


def with_gradient_of(soft: tf.Tensor, hard: tf.Tensor) -> tf.Tensor:
    """The value of ``hard``, bit for bit, with the gradient of ``soft``.

    ``soft + stop_gradient(hard - soft)`` is off by a rounding error, which would make the decoder
    see other values while training than after it.
    """

    @tf.custom_gradient
    def swap(soft):
        del soft
        return tf.identity(tf.stop_gradient(hard)), lambda upstream: upstream

    return swap(soft)


def mean_square(values: tf.Tensor) -> tf.Tensor:
    """Mean of the squares; 0 for a batch of nothing."""
    return tf.reduce_sum(tf.square(values)) / tf.cast(tf.maximum(tf.size(values), 1), tf.float32)


def number_of_groups(channels: int, dim: int) -> int:
    """How many groups of ``dim`` channels there are.

    Raises:
        ValueError: they do not come out even.
    """
    if channels < 1 or channels % dim:
        raise ValueError(
            f"dim={dim} must divide the number of latent channels, channels={channels}."
        )
    return channels // dim
