"""Residual vector quantization: each stage codes the error of the stages before it.

Zeghidour et al. 2021, "SoundStream", arXiv 2107.03312; settings as in Kumar et al. 2023 (DAC),
arXiv 2306.06546, where a share of the training examples sees a random number of stages, so that one
model serves several rates. Unlike there, codes are neither projected nor normalized.
"""

from __future__ import annotations

import numbers
from typing import Dict, List, Sequence, Tuple

import tensorflow as tf

from quantizers.base.contract import Quantized
from quantizers.base.indices import IndexQuantizer, bounded, mean_square, with_gradient_of
from quantizers.vector import CodebookFactory, as_vectors, ungrouped


class ResidualVectorQuantizer(IndexQuantizer):
    """``stages`` codes for each group of ``dim`` channels; their sum is the value.

    Symbol channels are ordered by stage: ``stage * groups + group``. The first ``k * groups`` of
    them are a coarser version, which ``decode`` accepts, too. Straight-through to the sum of the
    codes; the rate sends no gradient to the encoder. The penalty is the sum over stages
    of ``VectorQuantizer``'s.

    Example: latents ``[8, 16, 16, 64]`` with ``dim=8`` and ``stages=4`` give symbols
    ``[8, 16, 16, 32]``, of which the first 8 channels are stage 1.
    """

    def __init__(
        self,
        *,
        seed: int,
        stages: int = 4,
        dim: int = 8,
        codebook_size: int = 256,
        commitment: float = 0.25,
        dropout: float = 0.5,
        **learning,
    ):
        """Takes the settings.

        Args:
            seed: seed of initial codes, k-means start, revivals and dropout.
            stages: at least 1.
            dim: channels of a group, at least 1; must divide the latent channels.
            codebook_size: codes of a group and stage, at least 2.
            commitment: weight of the residuals' distance from their code, not negative.
            dropout: probability that a training example (the first dimension of the latents) has
                a number of stages drawn from 1..stages instead of all; the rate input of dropped
                stages is zero, which costs no bits.
            learning: how codebooks learn, see ``Learning``.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="residual_vector")
        if not isinstance(stages, numbers.Integral) or stages < 1:
            raise ValueError(f"stages={stages} must be a whole number, at least 1.")
        if commitment < 0:
            raise ValueError(f"commitment={commitment} must not be negative.")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout={dropout} must be a probability.")
        self._make = CodebookFactory(seed=seed, dim=dim, codebook_size=codebook_size, **learning)
        self._generator = self._make.generator
        self.stages = stages
        self._dim = dim
        self._commitment = commitment
        self._dropout = dropout

    def build(self, channels: int) -> None:
        """``stages`` symbols per group of ``dim`` channels."""
        self.codebooks = [self._make(channels) for _ in range(self.stages)]
        self._set_sizes(self._make.sizes(channels) * self.stages)

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        """Indices int32 ``[..., stages * channels / dim]``, stage by stage."""
        latents = bounded(latents)
        symbols, _ = self._cascade(as_vectors(latents, self._dim))
        return ungrouped(tf.concat(symbols, axis=1), latents, len(self._sizes))

    def decode(self, symbols: tf.Tensor, seed: None = None) -> tf.Tensor:
        """Sums of codes, float32 ``[..., channels]``.

        Args:
            symbols: int32 ``[..., k * channels / dim]``: the first k stages, 1 to all.
            seed: not used.

        Raises:
            ValueError: ``symbols`` hold no whole number of stages, or too many.
        """
        del seed
        groups = len(self._sizes) // self.stages
        stages, rest = divmod(symbols.shape[-1], groups)
        if rest or not 1 <= stages <= self.stages:
            raise ValueError(
                f"symbols: {symbols.shape[-1]} channels must be {groups} for each of 1 to "
                f"{self.stages} stages."
            )
        parts = tf.split(symbols, stages, axis=-1)
        codes = [books.lookup(part) for books, part in zip(self.codebooks, parts)]
        return ungrouped(_running_sums(codes)[-1], symbols, groups * self._dim)

    def update(self, latents: tf.Tensor) -> None:
        """Codebooks learn in turn, each from the error of the updated ones before it."""
        residual = as_vectors(bounded(latents), self._dim)
        for books in self.codebooks:
            books.update(residual)
            residual -= books.lookup(books.nearest(residual))

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"dim": self._dim, "stages": self.stages}

    @property
    def coding_variables(self) -> Sequence[tf.Variable]:
        return tuple(books.codes for books in self.codebooks)

    def _train(self, latents: tf.Tensor) -> Quantized:
        vectors = as_vectors(latents, self._dim)
        symbols, residuals = self._cascade(vectors)
        codes = [books.lookup(part) for books, part in zip(self.codebooks, symbols)]
        used = self._used_stages(latents)  # [vectors, 1, 1]
        penalty = tf.zeros([], tf.float32)
        rates: List[tf.Tensor] = []
        value = tf.zeros_like(vectors)
        for stage, total in enumerate(_running_sums(codes)):
            seen = tf.cast(stage < used, tf.float32)
            rates.append(self._one_hot(symbols[stage]) * seen)
            value = tf.where(stage < used, total, value)
            penalty += self._penalty(residuals[stage], codes[stage], seen)
        decoder = with_gradient_of(vectors, hard=value)
        rate = tf.concat(rates, axis=1)
        shape = tf.concat([tf.shape(latents)[:-1], tf.shape(rate)[1:]], axis=0)
        rate = tf.ensure_shape(tf.reshape(rate, shape), [*latents.shape[:-1], *rate.shape[1:]])
        return Quantized(
            rate_input=rate,
            decoder_input=ungrouped(decoder, latents, latents.shape[-1]),
            penalty=penalty,
        )

    def _cascade(self, vectors: tf.Tensor) -> Tuple[List[tf.Tensor], List[tf.Tensor]]:
        """Each stage's symbols ``[vectors, groups]`` and its input, shaped like ``vectors``.

        Codes are subtracted as constants: with a straight-through value the residual would have no
        gradient, and the commitment of later stages would not reach the encoder.
        """
        symbols, residuals = [], [vectors]
        for books in self.codebooks:
            symbols.append(books.nearest(residuals[-1]))
            codes = tf.stop_gradient(books.lookup(symbols[-1]))
            residuals.append(residuals[-1] - codes)
        return symbols, residuals

    def _penalty(self, residual: tf.Tensor, codes: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
        penalty = self._commitment * mean_square(seen * (residual - tf.stop_gradient(codes)))
        if self._make.learning.by_gradient:
            penalty += mean_square(seen * (tf.stop_gradient(residual) - codes))
        return penalty

    def _used_stages(self, latents: tf.Tensor) -> tf.Tensor:
        """Number of stages int32 ``[vectors, 1, 1]``, equal over an example."""
        # A single vector is one example.
        examples = tf.shape(latents)[: max(0, len(latents.shape) - 1)][:1]
        drops = self._generator.uniform(examples) < self._dropout
        drawn = self._generator.uniform(examples, 1, self.stages + 1, tf.int32)
        used = tf.where(drops, drawn, self.stages)
        positions = tf.shape(latents)[:-1]
        ones = tf.ones_like(positions[1:])
        used = tf.reshape(used, tf.concat([examples, ones], axis=0))
        return tf.reshape(tf.broadcast_to(used, positions), [-1, 1, 1])


def _running_sums(codes: Sequence[tf.Tensor]) -> List[tf.Tensor]:
    """Sums of the first codes, always added in the same order."""
    sums = [codes[0]]
    for addend in codes[1:]:
        sums.append(sums[-1] + addend)
    return sums
