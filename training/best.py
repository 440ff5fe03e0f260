"""The weights with the lowest validation loss, kept beside the newest checkpoints."""

from __future__ import annotations

import json
import math
import os
import pathlib
from typing import NamedTuple, Optional

import tensorflow as tf

from models import Autoencoder
from training.checkpoints import Checkpoints, damaged_weights, read_weights, save_model
from training.run_directory import RunDirectory
from training.whole_folder import restore_set_aside, write_whole

RECORD = "best.json"

CHECKPOINTS = ("last", "best")
"""Which of a run's models: the one that training ended with, or least validation loss."""


class Best(NamedTuple):
    """After how many steps, and the loss on whole validation files."""

    step: int
    loss: float


class BestWeights:
    """Keeps them in ``folder``, which is that of the checkpoints: a resumed run finds them."""

    def __init__(self, folder: pathlib.Path, model: Autoencoder, writes: bool = True):
        """Takes the model in training.

        Args:
            folder: of the checkpoints.
            model: whose weights are kept.
            writes: False: nothing is.
        """
        self._folder = folder / "best"
        self._checkpoint = tf.train.Checkpoint(model=model)
        self._writes = writes
        if writes:  # Before the next checkpoint, which removes what kills left.
            restore_set_aside(self._folder)

    @property
    def record(self) -> Optional[Best]:
        """Of the weights that are kept; None without any that are whole."""
        if damaged_weights(self._folder / "weights") is not None:
            return None
        return read_record(self._folder)

    def offer(self, step: int, loss: float) -> None:
        """Keeps the model's present weights if none before them had so small a loss."""
        record = self.record
        if self._writes and loss < (math.inf if record is None else record.loss):

            def write(folder: pathlib.Path) -> None:
                self._checkpoint.write(os.fspath(folder / "weights"))
                _write_record(folder, Best(step, loss))

            self._folder.parent.mkdir(exist_ok=True)
            write_whole(self._folder, write)

    def save_model(
        self,
        folder: pathlib.Path,
        model: Autoencoder,
        checkpoints: Checkpoints,
        config: Optional[bytes],
    ) -> None:
        """Writes a model that codes, as ``training.checkpoints.save_model``, and its record.

        If the newest weights are the best, the model is frozen afterwards.

        Args:
            folder: that is made, or replaced; not made without weights that are kept.
            model: gets them for a while, and then its own from the newest checkpoint.
            checkpoints: of the model.
            config: see there.
        """
        record = self.record
        if record is None:
            return
        is_newest = record.step == checkpoints.newest_step
        if not is_newest:
            read_weights(self._checkpoint, self._folder / "weights")
            model.advance(record.step - 1)
        model.freeze()
        save_model(model, folder, config, lambda temporary: _write_record(temporary, record))
        if not is_newest:
            checkpoints.restore()


def model_folder(directory: RunDirectory, checkpoint: str) -> pathlib.Path:
    """The saved model of a trained run.

    Args:
        directory: of the run.
        checkpoint: one of ``CHECKPOINTS``.

    Raises:
        ValueError: there is no such choice, or the run kept no best weights.
    """
    if checkpoint not in CHECKPOINTS:
        raise ValueError(f"checkpoint={checkpoint!r} must be one of {', '.join(CHECKPOINTS)}.")
    if checkpoint == "best" and not directory.best.is_dir():
        raise ValueError(
            f"checkpoint=best: run={str(directory.path)!r} kept no best weights: an older version "
            "trained it, or there were no validation files."
        )
    return directory.best if checkpoint == "best" else directory.model


def read_record(folder: pathlib.Path) -> Best:
    """Of a folder with the best weights."""
    return Best(**json.loads((folder / RECORD).read_text()))


def _write_record(folder: pathlib.Path, record: Best) -> None:
    (folder / RECORD).write_text(json.dumps(record._asdict()) + "\n")
