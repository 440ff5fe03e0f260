"""One long run on several devices or machines: the strategies of ``tf.distribute``.

Every replica takes its share of each batch and the sum of all gradients, so the global batch is
that of a single process. Random generators that are made under a strategy fold the replica's
number in (over all workers), so noise differs from replica to replica. Only the chief writes.
"""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
from typing import Iterator, Optional

import numpy as np
import tensorflow as tf

from quantizers.base.contract import Quantizer

STRATEGIES = ("single", "mirrored", "multi_worker")


class Distribution:
    """How a run is spread; made before anything else in TensorFlow.

    Attributes:
        strategy: of ``tf.distribute``; None for one device.
        replicas: over all machines.
        is_chief: whether this process writes.
    """

    def __init__(self, name: Optional[str] = "single"):
        """Connects to the other workers, which ``TF_CONFIG`` names, for ``multi_worker``.

        Args:
            name: single, mirrored (all GPUs of this machine, else its logical CPUs) or
                multi_worker; None as single.

        Raises:
            ValueError: there is no such strategy.
        """
        if name not in (None, *STRATEGIES):
            raise ValueError(f"strategy={name!r} must be one of {', '.join(STRATEGIES)}.")
        self.strategy = None
        self.is_chief = True
        if name == "mirrored":
            devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
            self.strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
        elif name == "multi_worker":
            self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
            resolver = self.strategy.cluster_resolver
            self.is_chief = (resolver.task_type, resolver.task_id) in (
                (None, None),
                ("chief", 0),
                *([] if "chief" in resolver.cluster_spec().jobs else [("worker", 0)]),
            )
        self.replicas = 1 if self.strategy is None else self.strategy.num_replicas_in_sync

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Model, optimizer and step are built within."""
        if self.strategy is None:
            yield
            return
        with self.strategy.scope(), tf.variable_creator_scope(_filled_first):
            yield

    def check(self, batch_size: int, *quantizers: Quantizer) -> None:
        """Raises ValueError for what several replicas cannot do.

        Args:
            batch_size: patches a step, over all replicas.
            quantizers: of the model.
        """
        if batch_size % self.replicas:
            raise ValueError(
                f"batch_size={batch_size} must be a multiple of the {self.replicas} replicas."
            )
        for quantizer in quantizers:
            if self.strategy is not None and type(quantizer).update is not Quantizer.update:
                raise ValueError(
                    f"quantizer={type(quantizer).__name__} learns from one replica's latents "
                    "alone: it needs strategy=single."
                )

    def batches(self, batches: tf.data.Dataset, batch_size: int):
        """This process's part of every batch, replica by replica.

        Every worker computes whole batches and takes its share: the batch of a step stays that of
        a single process, whatever the source.
        """
        if self.strategy is None:
            return batches
        share = batch_size // self.replicas

        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            local = share * self.replicas // context.num_input_pipelines
            start = local * context.input_pipeline_id
            mine = batches.map(lambda batch: batch[start : start + local])
            return mine.unbatch().batch(share, drop_remainder=True)

        return self.strategy.distribute_datasets_from_function(of_worker)

    def check_agreement(self, step: int) -> None:
        """Waits for all workers; raises RuntimeError unless all are to begin at this step."""
        if self.strategy is None:
            return

        @tf.function(autograph=False)
        def total() -> tf.Tensor:
            steps = self.strategy.run(lambda: tf.constant(step, tf.int64))
            return self.strategy.reduce(tf.distribute.ReduceOp.SUM, steps, axis=None)

        if int(total()) != step * self.replicas:
            raise RuntimeError(
                f"this worker begins at step {step} and others do not: all of them need the "
                "same run directory."
            )

    def wait(self) -> None:
        """Returns when all workers have come here."""
        self.check_agreement(0)

    @contextlib.contextmanager
    def folder(self, path: pathlib.Path) -> Iterator[pathlib.Path]:
        """``path`` for the chief, a folder that is thrown away for others."""
        if self.is_chief:
            yield path
            return
        with tempfile.TemporaryDirectory() as temporary:
            yield pathlib.Path(temporary)


def _filled_first(create, **settings) -> tf.Variable:
    """Variables of changing length that begin empty: coding tables before they are built.

    Workers agree on initial values by a broadcast, in which TensorFlow 2.14 crashes on nothing.
    """
    value = settings["initial_value"]
    if not isinstance(value, np.ndarray) or value.size:
        return create(**settings)
    variable = create(**{**settings, "initial_value": np.zeros([1] * value.ndim, value.dtype)})
    variable.assign(value)
    return variable
