"""TFC's scripts as the benchmark's peers: each trains in a process of its own.

How TensorFlow multiplies and where its tensors live are settings of a process. As published, the
scripts run with TensorFlow's own; with those of ``processor.process``, too, they show what is left
when that difference is taken away.

python benchmarks/peers.py hyperprior published    # a step for each line of input
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
"""Settings of the peers' processes by the names of their rows, the reference first."""


@contextlib.contextmanager
def peers(name: str) -> Iterator[dict[str, Callable[[], None]]]:
    """Training steps of a model of TFC, each taken by another process, by the names of the rows.

    Raises:
        SystemExit: when a process ended; what it wrote is on stderr.
    """
    with contextlib.ExitStack() as processes:
        yield {
            row: processes.enter_context(_peer(name, settings))
            for row, settings in SETTINGS.items()
        }


@contextlib.contextmanager
def _peer(name, settings):
    environment = dict(os.environ)
    if settings == "published":  # The benchmark's own process has set it by now.
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
    """Takes a training step for each line of input and says so."""
    name, settings = sys.argv[1:]
    if settings == "ours":
        import assembly  # noqa: F401 (sets the process)
    step = training_step(name)
    for _ in sys.stdin:
        step()
        print("done", flush=True)


def training_step(name: str) -> Callable[[], None]:
    """A step of TFC's script on a batch of noise, as ``fit`` takes it."""
    import tensorflow as tf
    from hyper_reference import HyperReferenceModel
    from reference import ReferenceModel

    if name == "hyperprior":
        model = HyperReferenceModel(FILTERS)
    else:
        model = ReferenceModel(CONVOLUTIONS[name], FILTERS, FILTERS)
    model.compile(optimizer=tf.keras.optimizers.Adam(1e-4))
    step, images = tf.function(model.train_step), batch_of_noise()
    return lambda: step(images)["loss"].numpy()


def batch_of_noise():
    """Images that all steps train on: float32 ``[8, 256, 256, 3]``."""
    import tensorflow as tf

    noise = np.random.default_rng(0).integers(0, 256, [BATCH, PATCH, PATCH, 3])
    return tf.constant(noise, tf.float32)


if __name__ == "__main__":
    main()
