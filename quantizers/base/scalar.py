"""The scalar quantizer: one surrogate for the rate, one for the decoder, the integers afterwards.

Published mixed schemes differ in what the rate is evaluated on and in what the decoder sees (noise
and straight-through in Minnen & Singh 2020, arXiv 2007.08739), so each slot is named.
"""

from __future__ import annotations

from typing import Dict, Optional

import tensorflow as tf

from quantizers.base.contract import (
    Integers,
    Quantized,
    Quantizer,
    ScalarSurrogate,
    check_slots,
)

LARGEST_SYMBOL = 2**23
"""Symbols are clipped to this magnitude: there float32 still holds every integer and every tie."""


class ScalarQuantizer(Quantizer):
    """Joins a decoder surrogate and a rate surrogate over one integer grid.

    Example:
        >>> quantizer = ScalarQuantizer(decoder=StraightThrough(), rate=UniformNoise(seed=1))
        >>> rate_input, decoder_input, penalty = quantizer(tf.constant([0.2, 1.7]), training=True)
        >>> quantizer.decode(quantizer.encode(tf.constant([0.2, 1.7]))).numpy()
        array([0., 2.], dtype=float32)
    """

    def __init__(
        self,
        *,
        decoder: ScalarSurrogate,
        rate: Optional[ScalarSurrogate] = None,
        levels: Optional[int] = None,
        hard_from_step: Optional[int] = None,
    ):
        """Fills the slots.

        Args:
            decoder: surrogate whose value the synthesis transform sees in training.
            rate: surrogate whose value the rate is evaluated on in training; None, or one that
                equals ``decoder``, shares the decoder's value (and its random sample).
            levels: None for all integers; K >= 2 clips latents to [0, K - 1], so that symbols are
                0..K - 1 (2: probabilities to bits).
            hard_from_step: see ``Quantizer``; Guo et al. 2021, "Soft then Hard", arXiv 2104.05168.

        Raises:
            ValueError: a slot is not a surrogate, or a number is too small.
        """
        super().__init__(name=type(self).__name__)
        check_slots(decoder=decoder, rate=decoder if rate is None else rate)
        if levels is not None and levels < 2:
            raise ValueError(f"levels={levels} must be at least 2, or null for all integers.")
        self._set_hard_from_step(hard_from_step)
        self._decoder = decoder
        self._rate = None if rate is None or rate.same_as(decoder) else rate
        self._levels = levels

    def _train(self, latents: tf.Tensor) -> Quantized:
        latents = self._clip(latents)
        decoder = self._decoder(latents)
        rate = decoder if self._rate is None else self._rate(latents)
        return Quantized(rate, decoder, tf.zeros([]))

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        # Ties go to the even symbol.
        return tf.cast(tf.round(self._clip(tf.cast(latents, tf.float32))), tf.int32)

    def decode(self, symbols: tf.Tensor, seed: Optional[int] = None) -> tf.Tensor:
        del seed
        return tf.cast(symbols, tf.float32)

    @property
    def alphabet(self) -> Integers:
        """All integers, or those of the levels."""
        return Integers(size=self._levels)

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"levels": self._levels}

    def _clip(self, latents: tf.Tensor) -> tf.Tensor:
        if self._levels is None:
            return tf.clip_by_value(latents, -LARGEST_SYMBOL, LARGEST_SYMBOL)
        return tf.clip_by_value(latents, 0.0, self._levels - 1.0)
