"""The benchmark's part for training: TFC's scripts, our steps, and the limits of the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from operations import macs, macs_of
from tfc_processes import BATCH, FILTERS, PATCH, SETTINGS, batch_of_noise, tfc_steps
from timing import in_turn
from untrained_models import configured_model

LATENTS = {"bls2017": None, "factorized": FILTERS, "hyperprior": FILTERS}
"""Channels of the latents of each model; None: ``FILTERS``, fixed."""


def train(name: str, rounds: int, precisions: Sequence[str]) -> None:
    """Prints images/s of one model: TFC's script and ours in each precision.

    Args:
        name: of the model, one of ``LATENTS``.
        rounds: steps of each that are timed.
        precisions: of our transforms.
    """
    images = batch_of_noise()
    cases, operations = machine_cases(precisions)
    for precision in precisions:
        model = configured_model(name, FILTERS, LATENTS[name], precision)
        step = training_step(model)
        cases[precision] = lambda step=step: step(images).finite.numpy()
    with tfc_steps(name) as theirs:
        seconds = in_turn({**theirs, **cases}, rounds)

    print(f"\n{name}, N = M = {FILTERS}: training, batches of {BATCH} patches of {PATCH}x{PATCH}")
    rates = {case: count / seconds[case] / 1e9 for case, count in operations.items()}
    print(f"{'machine, GFLOP/s':26}" + "".join(f"{p:>10}" for p in precisions))
    for case in ("matrices", "convolution"):
        print(f"{case:26}" + "".join(f"{rates[f'{case} {p}']:10.0f}" for p in precisions))
    work = operations_per_image(model)
    limits = {p: 1e9 * rates[f"convolution {p}"] / work for p in precisions}
    print(f"{'roofline, images/s':26}" + "".join(f"{limits[p]:10.1f}" for p in precisions))

    ratios = "".join(f"{'to ' + row:>24}" for row in SETTINGS)
    print(f"{'step':26}{'images/s':>10}{ratios}{'share of roofline':>20}")
    for case in (*SETTINGS, *precisions):
        ratios = "".join(f"{seconds[row] / seconds[case]:24.2f}" for row in SETTINGS)
        share = BATCH / seconds[case] / limits.get(case, limits[precisions[0]])
        print(f"{case:26}{BATCH / seconds[case]:10.1f}{ratios}{share:20.0%}")
    sys.stdout.flush()


def training_step(model) -> Callable:
    """The step that ``train.py`` takes."""
    from distortion import MeanSquaredError
    from training.optimizers import adam
    from training.step import TrainStep

    return TrainStep(model, MeanSquaredError(), adam(steps=1000), lmbda=0.01)


def operations_per_image(model) -> float:
    """Floating-point operations of a training step per image: forward and both gradients."""
    first = macs(model.transforms._analysis.layers[:1], 1.0)  # Images need no gradient.
    return 2 * PATCH**2 * (3 * sum(macs_of(model)) - first)


def machine_cases(precisions: Sequence[str]) -> tuple[dict[str, Callable], dict[str, float]]:
    """What the machine can do in each precision: cases, and floating-point operations of each.

    The convolution is the most expensive one of the models: 5x5, stride 2, 128 to 128 channels. Its
    rate is also the roofline of a training step, whose gradients take the same operations twice.
    """
    import tensorflow as tf

    cases, operations = {}, {}
    for precision in precisions:

        def random(*shape, precision=precision):
            return tf.cast(tf.random.normal(shape), precision)

        left, right = random(2048, 2048), random(2048, 2048)
        inputs, kernel = random(BATCH, 64, 64, FILTERS), random(5, 5, FILTERS, FILTERS)

        @tf.function
        def multiply(left, right):
            return tf.reduce_sum(tf.matmul(left, right)[0])

        @tf.function
        def forward(inputs, kernel):
            return tf.nn.conv2d(inputs, kernel, 2, "SAME")[0, 0, 0, 0]

        convolution = 2 * BATCH * 32 * 32 * 5 * 5 * FILTERS * FILTERS
        for name, count, function, tensors in [
            ("matrices", 2 * 2048**3, multiply, (left, right)),
            ("convolution", convolution, forward, (inputs, kernel)),
        ]:
            cases[f"{name} {precision}"] = lambda f=function, t=tensors: f(*t).numpy()
            operations[f"{name} {precision}"] = count
    return cases, operations
