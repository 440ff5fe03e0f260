"""The benchmark's part for training: TFC's scripts, our steps, and the machine's limits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from measuring import configured_model, in_turn
from peers import BATCH, CONVOLUTIONS, FILTERS, PATCH, SETTINGS, batch_of_noise, peers

LATENTS = {"bls2017": None, "factorized": FILTERS, "hyperprior": FILTERS}
"""Channels of the latents of each model; None: as many as filters, without a setting."""


def train(name: str, rounds: int, precisions: Sequence[str]) -> None:
    """Prints images/s of one model: TFC's script and ours in each precision.

    Args:
        name: of the model, one of ``LATENTS``.
        rounds: steps of each that are timed.
        precisions: of our transforms.
    """
    from reference import (
        hyper_operations_per_image,
        machine_cases,
        operations_per_image,
    )

    images = batch_of_noise()
    cases, operations = machine_cases(BATCH, FILTERS, precisions)
    for precision in precisions:
        step = training_step(name, precision)
        cases[precision] = lambda step=step: step(images).finite.numpy()
    with peers(name) as theirs:
        seconds = in_turn({**theirs, **cases}, rounds)

    print(f"\n{name}, N = M = {FILTERS}: training, batches of {BATCH} patches of {PATCH}x{PATCH}")
    rates = {case: count / seconds[case] / 1e9 for case, count in operations.items()}
    print(f"{'machine, GFLOP/s':26}" + "".join(f"{p:>10}" for p in precisions))
    for case in ("matrices", "convolution"):
        print(f"{case:26}" + "".join(f"{rates[f'{case} {p}']:10.0f}" for p in precisions))
    work = operations_per_image(CONVOLUTIONS[name], FILTERS, PATCH)
    if name == "hyperprior":
        work += hyper_operations_per_image(FILTERS, PATCH)
    limits = {p: 1e9 * rates[f"convolution {p}"] / work for p in precisions}
    print(f"{'roofline, images/s':26}" + "".join(f"{limits[p]:10.1f}" for p in precisions))

    ratios = "".join(f"{'to ' + row:>24}" for row in SETTINGS)
    print(f"{'step':26}{'images/s':>10}{ratios}{'share of roofline':>20}")
    for case in (*SETTINGS, *precisions):
        ratios = "".join(f"{seconds[row] / seconds[case]:24.2f}" for row in SETTINGS)
        share = BATCH / seconds[case] / limits.get(case, limits[precisions[0]])
        print(f"{case:26}{BATCH / seconds[case]:10.1f}{ratios}{share:20.0%}")
    sys.stdout.flush()


def training_step(name: str, precision: str) -> Callable:
    """The step that ``train.py`` takes, uniform noise in all slots."""
    from distortion import MeanSquaredError
    from training.optimizers import adam
    from training.step import TrainStep

    model = configured_model(name, FILTERS, LATENTS[name], precision)
    return TrainStep(model, MeanSquaredError(), adam(steps=1000), lmbda=0.01)
