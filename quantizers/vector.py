"""Vector quantization: each group of channels is replaced by the nearest code of its codebook.

Van den Oord et al. 2017, "Neural discrete representation learning", arXiv 1711.00937, with a
codebook for each group (a product quantizer). Rotation trick: Fifty et al. 2024, arXiv 2410.06424.
"""

from __future__ import annotations

import numbers
from typing import Dict, List, Sequence

import numpy as np
import tensorflow as tf

from quantizers.base.codebook import Codebooks, Learning
from quantizers.base.contract import Quantized
from quantizers.base.indices import (
    IndexQuantizer,
    bounded,
    mean_square,
    number_of_groups,
    with_gradient_of,
)


class VectorQuantizer(IndexQuantizer):
    """One code for each group of ``dim`` channels.

    The decoder's gradient passes straight-through, or rotated and scaled as the latents are to
    their code. The rate sends no gradient to the encoder, which learns from ``commitment`` and the
    decoder only. The penalty is ``commitment * mean((y - code)^2)``; ``codebook="gradient"`` adds
    the same mean with a gradient for the codes only.

    Example: latents ``[8, 16, 16, 64]`` with ``dim=8`` and ``codebook_size=256`` give symbols
    ``[8, 16, 16, 8]`` below 256.
    """

    def __init__(
        self,
        *,
        seed: int,
        dim: int = 8,
        codebook_size: int = 256,
        commitment: float = 0.25,
        rotation_trick: bool = False,
        **learning,
    ):
        """Takes the settings.

        Args:
            seed: seed of initial codes, k-means start and revivals.
            dim: channels of a group, at least 1; must divide the latent channels.
            codebook_size: codes of a group, at least 2.
            commitment: weight of the latents' distance from their code, not negative.
            rotation_trick: whether the decoder's gradient is rotated and scaled.
            learning: how codebooks learn, see ``Learning``.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="vector")
        if commitment < 0:
            raise ValueError(f"commitment={commitment} must not be negative.")
        self._make = CodebookFactory(seed=seed, dim=dim, codebook_size=codebook_size, **learning)
        self._dim = dim
        self._commitment = commitment
        self._rotation_trick = rotation_trick

    def build(self, channels: int) -> None:
        """One symbol per group of ``dim`` channels."""
        self.codebooks = self._make(channels)
        self._set_sizes(self._make.sizes(channels))

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        """Indices int32 ``[..., channels / dim]``."""
        latents = bounded(latents)
        symbols = self.codebooks.nearest(as_vectors(latents, self._dim))
        return ungrouped(symbols, latents, len(self._sizes))

    def decode(self, symbols: tf.Tensor, seed: None = None) -> tf.Tensor:
        """Codes float32 ``[..., channels]`` of int32 ``[..., channels / dim]``."""
        del seed
        return ungrouped(self.codebooks.lookup(symbols), symbols, len(self._sizes) * self._dim)

    def update(self, latents: tf.Tensor) -> None:
        """Codebooks learn from latents ``[..., channels]``: start, averages, revivals."""
        self.codebooks.update(as_vectors(bounded(latents), self._dim))

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"dim": self._dim}

    @property
    def coding_variables(self) -> Sequence[tf.Variable]:
        return (self.codebooks.codes,)

    def _train(self, latents: tf.Tensor) -> Quantized:
        symbols = self.encode(latents)
        vectors = as_vectors(latents, self._dim)
        codes = tf.reshape(self.decode(symbols), tf.shape(vectors))
        carrier = rotated(vectors, codes) if self._rotation_trick else vectors
        decoder = ungrouped(with_gradient_of(carrier, hard=codes), latents, latents.shape[-1])
        penalty = self._commitment * mean_square(vectors - tf.stop_gradient(codes))
        if self._make.learning.by_gradient:
            penalty += mean_square(tf.stop_gradient(vectors) - codes)
        return Quantized(self._one_hot(symbols), decoder, penalty)


class CodebookFactory:
    """Makes codebooks of equal settings from one random stream."""

    def __init__(self, *, seed: int, dim: int, codebook_size: int, **learning):
        """Takes the settings.

        Args:
            seed: of all draws.
            dim: channels of a group, at least 1.
            codebook_size: codes of a group, at least 2.
            learning: see ``Learning``.

        Raises:
            ValueError: an argument is out of its range.
        """
        for name, number, least in (("dim", dim, 1), ("codebook_size", codebook_size, 2)):
            if not isinstance(number, numbers.Integral) or number < least:
                raise ValueError(f"{name}={number} must be a whole number, at least {least}.")
        self.learning = Learning(**learning)
        self.generator = tf.random.Generator.from_seed(seed, alg="philox")
        self._initial = np.random.default_rng(seed)
        self._dim, self._size = dim, codebook_size

    def __call__(self, channels: int) -> Codebooks:
        """Codebooks of all groups; ValueError if ``dim`` does not divide ``channels``."""
        groups = number_of_groups(channels, self._dim)
        initial = self._initial.normal(size=[groups, self._size, self._dim])
        return Codebooks(initial, self.learning, self.generator)

    def sizes(self, channels: int) -> List[int]:
        """Alphabet sizes of one symbol per group."""
        return [self._size] * number_of_groups(channels, self._dim)


def as_vectors(latents: tf.Tensor, dim: int) -> tf.Tensor:
    """``[vectors, channels / dim, dim]`` of ``[..., channels]``."""
    return tf.reshape(latents, [-1, latents.shape[-1] // dim, dim])


def ungrouped(values: tf.Tensor, like: tf.Tensor, last: int) -> tf.Tensor:
    """``values`` in the shape of ``like`` but for the length ``last`` of the last dimension."""
    shape = tf.concat([tf.shape(like)[:-1], [last]], axis=0)
    return tf.ensure_shape(tf.reshape(values, shape), [*like.shape[:-1], last])


def rotated(vectors: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
    """``vectors`` times the constant matrix that rotates and scales each of them into its code.

    With the unit vectors e of the vector, q of the code and r of e + q the matrix is
    ``|code| / |vector| (I - 2 r r^T + 2 q e^T)``: angles between gradients are kept. Where either
    length is 0 there is no rotation, and the gradient passes unchanged.

    Args:
        vectors: float32 ``[..., dim]``.
        codes: float32, same shape.
    """
    constant, codes = tf.stop_gradient(vectors), tf.stop_gradient(codes)
    lengths = [tf.norm(v, axis=-1, keepdims=True) for v in (constant, codes)]
    possible = tf.minimum(*lengths) > 1e-6
    length, code_length = (tf.where(possible, v, 1.0) for v in lengths)
    e, q = constant / length, codes / code_length
    # Opposite vectors have no bisector; without r the matrix is a reflection, which will do.
    bisector = tf.math.l2_normalize(e + q, axis=-1, epsilon=1e-12)

    def along(direction):
        return tf.reduce_sum(direction * vectors, axis=-1, keepdims=True)

    image = vectors - 2 * bisector * along(bisector) + 2 * q * along(e)
    return tf.where(possible, code_length / length * image, vectors)
