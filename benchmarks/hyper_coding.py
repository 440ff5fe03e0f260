"""The benchmark's part for coding with side information."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from measuring import codec_of, configured_model, in_turn, photograph

FILTERS, LATENTS = 128, 192
SECONDS = {"hyperprior": 1.0, "mean_scale_hyperprior": 1.0, "channel_autoregressive": 3.0}


def code_hyper(rounds: int) -> None:
    """Whole files through the models with side information, and what share is fixed point."""
    pixels = photograph(512, 768)
    print(f"\nN = {FILTERS}, M = {LATENTS}: one photograph of 768x512, float32")
    print(f"{'':26}{'encode, ms':>12}{'decode, ms':>12}{'goal each':>11}{'prediction, ms':>16}")
    for name, goal in SECONDS.items():
        codec = codec_of(configured_model(name, FILTERS, LATENTS, "float32"), pixels)
        data = codec.encode(pixels)
        seconds = in_turn(
            {
                "encode": lambda codec=codec: codec.encode(pixels),
                "decode": lambda codec=codec, data=data: codec.decode(data),
                "prediction": prediction_case(codec.model, pixels),
            },
            rounds,
        )
        encode, decode, prediction = (1e3 * value for value in seconds.values())
        print(f"{name:26}{encode:12.0f}{decode:12.0f}{1e3 * goal:11.0f}{prediction:16.0f}")
        sys.stdout.flush()


def prediction_case(model, pixels: np.ndarray) -> Callable:
    """Only what encoder and decoder both repeat in fixed point."""
    import tensorflow as tf

    latents = model.analyze(pixels)[tf.newaxis]
    side = tf.round(model.hyper.analysis(latents))
    parts = tf.split(tf.round(latents), model.slices, axis=-1)

    def predict() -> np.ndarray:
        predictor = model.predictor(side, *latents.shape[1:3], exact=True)
        for part in parts:
            predictor.next()
            predictor.add(part)
        return predictor.decoded.numpy()

    return predict
