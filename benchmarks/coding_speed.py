"""The benchmark's part for coding: whole files, with and without side information."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from tfc_processes import CONVOLUTIONS, FILTERS
from timing import in_turn
from untrained_models import codec_of, configured_model, photograph

LATENTS = {"bls2017": None, "factorized": 192}
"""Channels of the latents of models without side information; None: ``FILTERS``, fixed."""

HYPER_LATENTS = 192
SECONDS = {"hyperprior": 1.0, "mean_scale_hyperprior": 1.0, "channel_autoregressive": 3.0}
"""Models with side information, and the goal for encoding and for decoding."""


def code(name: str, rounds: int) -> None:
    """Encodes and decodes one photograph of 768x512 with our codec and TFC's, both loaded."""
    import tensorflow as tf
    from tfc_reference import ReferenceModel

    pixels = photograph(512, 768)
    latents = LATENTS[name] or FILTERS
    reference = ReferenceModel(CONVOLUTIONS[name], FILTERS, latents, init_scale=1.0)
    last = reference.analysis.layers[-1].kernel_parameter
    batch = tf.constant(pixels[np.newaxis], tf.float32)
    scale = float(tf.math.reduce_std(reference.analysis(batch)))
    for variable in (last.real, last.imag):
        variable.assign(variable / scale)
    reference.freeze()
    coded = reference.compress(pixels)

    codec = codec_of(configured_model(name, FILTERS, LATENTS[name], init_scale=1.0), pixels)
    data = codec.encode(pixels)
    seconds = in_turn(
        {
            "their encode": lambda: reference.compress(pixels)[0].numpy(),
            "our encode": lambda: codec.encode(pixels),
            "their decode": lambda: reference.decompress(*coded).numpy(),
            "our decode": lambda: codec.decode(data),
        },
        rounds,
    )
    print(f"\n{name}, N = {FILTERS}, M = {latents}: one photograph of 768x512, float32")
    print(f"{'':26}{'encode, ms':>12}{'decode, ms':>12}{'both, ms':>12}{'ratio':>8}{'bytes':>9}")
    reference_total = seconds["their encode"] + seconds["their decode"]
    for label, who, size in [
        ("TFC's script, tf.function", "their", len(coded[0].numpy()[0])),
        ("Roundtrip", "our", len(data)),
    ]:
        encode, decode = seconds[f"{who} encode"], seconds[f"{who} decode"]
        print(
            f"{label:26}{1e3 * encode:12.0f}{1e3 * decode:12.0f}{1e3 * (encode + decode):12.0f}"
            f"{reference_total / (encode + decode):8.2f}{size:9}"
        )
    sys.stdout.flush()


def code_hyper(rounds: int) -> None:
    """The same for models with side information, and how long their prediction takes."""
    pixels = photograph(512, 768)
    print(f"\nN = {FILTERS}, M = {HYPER_LATENTS}: one photograph of 768x512, float32")
    print(f"{'':26}{'encode, ms':>12}{'decode, ms':>12}{'goal each':>11}{'prediction, ms':>16}")
    for name, goal in SECONDS.items():
        codec = codec_of(configured_model(name, FILTERS, HYPER_LATENTS), pixels)
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
    """Only what encoder and decoder both compute in fixed point."""
    import tensorflow as tf

    latents = model.analyze(pixels)[tf.newaxis]
    side = tf.round(model.hyper.analysis(latents))
    parts = tf.split(tf.round(latents), model.slice_sizes, axis=-1)

    def predict() -> np.ndarray:
        predictor = model.predictor(side, *latents.shape[1:3], exact=True)
        for part in parts:
            predictor.next()
            predictor.add(part)
        return predictor.decoded.numpy()

    return predict
