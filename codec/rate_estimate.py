"""Bits of latents under the trained density, without coding them."""

from __future__ import annotations

import math
from typing import NamedTuple, Optional

import tensorflow as tf

from codec.latent_coder import LatentCoder, Latents
from models import Autoencoder


class RateEstimate(NamedTuple):
    """Bits of one file under the trained density.

    Attributes:
        noise: with uniform noise on the latents; NaN where symbols are indices.
        training: at the rate value that the quantizer trained on, at the end of its schedules.
        rounded: of the symbols that are coded.
        fixed_length: at the same bits for every symbol; NaN where alphabets are not finite.
        side: of the side information, which is part of ``rounded``.
    """

    noise: float
    training: float
    rounded: float
    fixed_length: float
    side: float


def estimate_rate(
    model: Autoencoder,
    coder: LatentCoder,
    latents: tf.Tensor,
    seed: int,
    refined: Optional[Latents] = None,
) -> RateEstimate:
    """Estimates for one file.

    Args:
        model: trained and frozen.
        coder: of the model's latents.
        latents: float32 ``[rows, columns, channels]``, the analysis' own.
        seed: draws the noise.
        refined: what is coded in their place: ``rounded`` and ``side`` are of these. What training
            saw are the analysis' own, and so are the bits of noise and of training.
    """
    coded = refined or Latents(latents)
    noise = fixed_length = math.nan
    if model.quantizer.alphabet.kind == "indices":
        fixed_length = coder.fixed_length_bits(latents)
    else:
        u = tf.random.stateless_uniform(tf.shape(latents), [seed, 0], -0.5, 0.5)
        noise = coder.noise_bits(latents, u)
    training = model.quantize(latents[tf.newaxis], training=True).bits
    return RateEstimate(
        noise=noise,
        training=float(training[0]),
        rounded=coder.symbol_bits(*coded),
        fixed_length=fixed_length,
        side=coder.side_bits(*coded),
    )
