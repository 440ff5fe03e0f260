"""Trains TFC's models in processes of their own, for comparison.

Kernels and memory allocation are settings of a process. The published scripts use TensorFlow's
defaults; with the settings of ``processor.process``, they show how much of the difference in speed
the settings explain.

python benchmarks/tfc_processes.py hyperprior published    # a step for each line of input
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np

FILTERS, PATCH, BATCH = 128, 256, 8
CONVOLUTIONS = {
    "bls2017": [(9, 4), (5, 2), (5, 2)],
    "factorized": [(5, 2)] * 4,
    "hyperprior": [(5, 2)] * 4,
}
"""Kernel and stride of each layer of the analysis."""

SETTINGS = {"TFC's script": "published", "TFC's, our settings": "ours"}
"""Row of the table -> settings of the process, the reference first."""


@contextlib.contextmanager
def tfc_steps(name: str) -> Iterator[dict[str, Callable[[], None]]]:
    """By row, a function that takes a training step of TFC's model in another process.

    Raises:
        SystemExit: a process ended; its errors are on stderr.
    """
    with contextlib.ExitStack() as processes:
        yield {
            row: processes.enter_context(_tfc_step(name, settings))
            for row, settings in SETTINGS.items()
        }


@contextlib.contextmanager
def _tfc_step(name, settings):
    environment = dict(os.environ)
    if settings == "published":  # set_process() has set it for this process.
        environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
    command = [sys.executable, __file__, name, settings]
    with subprocess.Popen(
        command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:

        def step():
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(b"\n")
            if process.stdout.readline() != b"done\n":
                sys.exit(f"error: {' '.join(command[1:])} ended with status {process.wait()}.")

        yield step


def main() -> None:
    """Takes a training step for each line of input and answers with a line."""
    name, settings = sys.argv[1:]
    if settings == "ours":
        from processor.process import set_process

        set_process()
    step = training_step(name)
    for _ in sys.stdin:
        step()
        print("done", flush=True)


def training_step(name: str) -> Callable[[], None]:
    """A step of TFC's script on a batch of noise, as ``fit`` takes it."""
    import tensorflow as tf
    from tfc_reference import HyperReferenceModel, ReferenceModel

    if name == "hyperprior":
        model = HyperReferenceModel(FILTERS)
    else:
        model = ReferenceModel(CONVOLUTIONS[name], FILTERS, FILTERS)
    model.compile(optimizer=tf.keras.optimizers.Adam(1e-4))
    step, images = tf.function(model.train_step), batch_of_noise()
    return lambda: step(images)["loss"].numpy()


def batch_of_noise():
    """The images that all steps train on: float32 ``[8, 256, 256, 3]``."""
    import tensorflow as tf

    noise = np.random.default_rng(0).integers(0, 256, [BATCH, PATCH, PATCH, 3])
    return tf.constant(noise, tf.float32)


if __name__ == "__main__":
    main()
