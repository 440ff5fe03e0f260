"""The benchmark's part with side information: TFC's hyperprior step against ours, and coding."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
from measuring import codec_of, configured_model, in_turn, photograph

FILTERS, LATENTS, PATCH, BATCH = 128, 192, 256, 8
GOALS = {"float32": 1.5, "bfloat16": 2.5}
SECONDS = {"hyperprior": 1.0, "mean_scale_hyperprior": 1.0, "channel_autoregressive": 3.0}


def train_hyper(rounds: int, precisions: Sequence[str]) -> None:
    """Training steps of the scale hyperprior: TFC's script, ours, and the machine's limit."""
    import tensorflow as tf
    from benchmark_hyper_reference import HyperReferenceModel
    from benchmark_reference import (
        hyper_operations_per_image,
        machine_cases,
        operations_per_image,
    )

    images = tf.constant(
        np.random.default_rng(0).integers(0, 256, [BATCH, PATCH, PATCH, 3]), tf.float32
    )
    reference = HyperReferenceModel(FILTERS)
    reference.compile(optimizer=tf.keras.optimizers.Adam(1e-4))
    reference_step = tf.function(reference.train_step)
    theirs = "TFC's script, float32"
    machine, operations = machine_cases(BATCH, FILTERS, precisions)
    cases = {case: run for case, run in machine.items() if "trained" in case}
    cases[theirs] = lambda: reference_step(images)["loss"].numpy()
    for precision in precisions:
        step = hyper_train_step(precision)
        cases[precision] = lambda step=step: step(images).finite.numpy()
    seconds = in_turn(cases, rounds)
    work = operations_per_image([(5, 2)] * 4, FILTERS, PATCH)
    work += hyper_operations_per_image(FILTERS, PATCH)
    print(
        f"\nhyperprior, N = M = {FILTERS}: training, batches of {BATCH} patches of {PATCH}x{PATCH}"
    )
    print(f"{'step':26}{'images/s':>10}{'ratio':>10}{'goal':>10}{'share of roofline':>20}")
    for case in (theirs, *precisions):
        limit = f"convolution, trained {case if case in precisions else 'float32'}"
        goal = f"{GOALS[case]:10.1f}" if case in GOALS else " " * 10
        speed = BATCH / seconds[case]
        share = speed * work / (operations[limit] / seconds[limit]) if limit in seconds else np.nan
        print(f"{case:26}{speed:10.1f}{seconds[theirs] / seconds[case]:10.2f}{goal}{share:20.0%}")
    sys.stdout.flush()


def hyper_train_step(precision: str) -> Callable:
    """The step that train.py takes with model=hyperprior."""
    from distortion import MeanSquaredError
    from training.optimizers import adam
    from training.step import TrainStep

    model = configured_model("hyperprior", FILTERS, FILTERS, precision)
    return TrainStep(model, MeanSquaredError(), adam(steps=1000), lmbda=0.01)


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

    latents = model.latents(pixels)[tf.newaxis]
    side = tf.round(model.hyper.analysis(latents))
    parts = tf.split(tf.round(latents), model.slices, axis=-1)
    rows, columns = latents.shape[1:3]
    return lambda: model.reconstruct(
        side, rows, columns, lambda number, prediction: parts[number], exact=True
    ).numpy()
