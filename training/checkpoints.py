"""Checkpoints of an unfinished run: parameters, optimizer, schedules' values, noise streams."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import sys
import tempfile
from typing import Callable, Dict, Iterator, List, Optional

import tensorflow as tf

from models import Autoencoder
from processor.stack import keras
from training import compact_weights
from training.whole_folder import damage, has_sums, write_whole

KEPT = 2
"""How many of the newest checkpoints stay."""

UNREADABLE = (tf.errors.OpError, ValueError, IndexError, NotImplementedError, RuntimeError)
"""What TensorFlow raises for damaged files: a short read is an IndexError."""


class Checkpoints:
    """Saves and restores a run's whole state in ``folder``, one folder a checkpoint.

    A kill at any moment leaves the previous checkpoint usable; so does damage to the newest.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        model: Autoencoder,
        optimizer: keras.optimizers.Optimizer,
        writes: bool = True,
        config: Optional[bytes] = None,
    ):
        """The optimizer's variables must be built.

        Args:
            folder: of the checkpoints.
            model: saved and restored.
            optimizer: likewise.
            writes: False: it only restores.
            config: the run's ``config.yaml``, of which each checkpoint keeps a copy.
        """
        self._folder = folder
        self._writes = writes
        self._model = model
        self._config = config
        self._whole: List[int] = []
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=self._step)

    def restore(self) -> int:
        """Restores the newest whole checkpoint, if any; returns the number of steps it has seen.

        Warns of newer ones that are damaged.

        Raises:
            ValueError: all are damaged, or the state is that of a model with other parts.
        """
        damaged = {}
        for step, prefix in sorted(_saved(self._folder).items(), reverse=True):
            reason = damaged_weights(prefix)
            if reason is None:
                break
            damaged[step] = f"the checkpoint at step {step} is damaged ({reason})"
        else:
            if damaged:
                raise ValueError(
                    f"{'; '.join(damaged.values())}; no other is left in {str(self._folder)!r}: "
                    "overwrite=true starts anew."
                )
            return 0
        if damaged:
            warning = "; ".join(damaged.values())
            print(f"warning: {warning}; resuming from the one before.", file=sys.stderr, flush=True)
        read_weights(self._checkpoint, prefix)
        self._whole = [step]
        self._model.advance(int(self._step) - 1)  # The last step that was taken.
        return int(self._step)

    @property
    def newest_step(self) -> Optional[int]:
        """Steps that the newest whole checkpoint has seen, None without one."""
        for step, prefix in sorted(_saved(self._folder).items(), reverse=True):
            if damaged_weights(prefix) is None:
                return step
        return None

    def save(self, step: int) -> None:
        """Saves the state after ``step`` steps."""
        if not self._writes:
            return
        self._step.assign(step)
        self._folder.mkdir(exist_ok=True)  # Not its parents: a run that was deleted stays so.

        def write(folder: pathlib.Path) -> None:
            self._checkpoint.write(os.fspath(folder / "state"))
            _write_config(folder, self._config)

        write_whole(self._folder / f"step-{step}", write)
        self._whole = [*self._whole, step][-KEPT:]
        self._prune()

    def _prune(self) -> None:
        """Removes all but the newest whole checkpoints, and what kills and older versions left."""
        for path in self._folder.iterdir():
            step = _step_of(path)
            leftover = path.name.startswith(".") or path.name == "checkpoint"
            if leftover or (step is not None and step not in self._whole):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _step_of(path: pathlib.Path) -> Optional[int]:
    """The steps of ``step-20``, or of a file ``ckpt-20.index`` of an older run."""
    match = re.fullmatch(r"(?:step-|ckpt-(?=\d+\.))(\d+)(?:\..+)?", path.name)
    return None if match is None else int(match[1])


def _saved(folder: pathlib.Path) -> Dict[int, pathlib.Path]:
    """Steps -> prefix of the checkpoint's files, damaged ones too."""
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        step = _step_of(path)
        if step is None:
            continue
        if path.is_dir():
            found[step] = path / "state"
        else:
            found.setdefault(step, folder / f"ckpt-{step}")
    return found


def damaged_weights(prefix: pathlib.Path) -> Optional[str]:
    """What is wrong with files that TensorFlow wrote under a prefix; None if they are whole."""
    if has_sums(prefix.parent):
        return damage(prefix.parent)
    # An older run, or only the checksums are lost: TensorFlow has its own of each value.
    try:
        with _literal(prefix) as path:
            reader = tf.train.load_checkpoint(path)
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
    except UNREADABLE as error:
        return _reason(error)
    return None


def read_weights(checkpoint: tf.train.Checkpoint, prefix: pathlib.Path) -> None:
    """Restores everything or raises ValueError."""
    # Checkpoints of older runs also count how many were saved.
    read = checkpoint.restore if prefix.name.startswith("ckpt-") else checkpoint.read
    try:
        with _literal(prefix) as path:
            read(path).assert_consumed()
    except (AssertionError, *UNREADABLE) as error:
        raise ValueError(
            f"{str(prefix.parent)!r} does not hold this configuration's model: {_reason(error)}"
        ) from error


@contextlib.contextmanager
def _literal(prefix: pathlib.Path) -> Iterator[str]:
    """A name for files of this prefix that TensorFlow, when it reads, takes for no pattern."""
    if not set("*?[\\") & set(os.fspath(prefix)):
        yield os.fspath(prefix)
        return
    # Only some of its readers understand escapes, so the folder gets another name.
    with tempfile.TemporaryDirectory() as temporary:
        link = pathlib.Path(temporary) / "link"
        link.symlink_to(prefix.parent.absolute(), target_is_directory=True)
        yield os.fspath(link / prefix.name)


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _write_config(folder: pathlib.Path, config: Optional[bytes]) -> None:
    if config is not None:
        (folder / "config.yaml").write_bytes(config)


def save_model(
    model: Autoencoder,
    folder: pathlib.Path,
    config: Optional[bytes] = None,
    write_more: Callable[[pathlib.Path], None] = lambda folder: None,
) -> None:
    """Writes a trained, frozen model: ``folder`` appears whole or not at all.

    Args:
        model: whose variables and coding tables are written.
        folder: that is made, or replaced.
        config: the run's ``config.yaml``, of which the folder keeps a copy.
        write_more: called with the folder before it gets its name.
    """

    def write(temporary: pathlib.Path) -> None:
        tf.train.Checkpoint(model=model).write(os.fspath(temporary / "weights"))
        _write_config(temporary, config)
        write_more(temporary)

    write_whole(folder, write)


def restore_model(model: Autoencoder, folder: pathlib.Path, steps: int) -> None:
    """Restores what ``save_model`` wrote into a model built from the same configuration.

    Args:
        model: gets the weights, and the state that it had in the last training step.
        folder: of the saved model.
        steps: that the model was trained for.

    Raises:
        ValueError: the files are damaged or of a model with other parts.
    """
    reason = damaged_weights(folder / "weights")
    if reason is not None:
        raise ValueError(
            f"the model in {str(folder)!r} is damaged ({reason}): the run's train.py command "
            "restores it from the last checkpoint."
        )
    if (folder / compact_weights.FILE).exists():
        compact_weights.read_compact(model, folder / compact_weights.FILE)
    else:
        read_weights(tf.train.Checkpoint(model=model), folder / "weights")
    model.advance(steps - 1)


def model_digest(folder: pathlib.Path) -> str:
    """SHA-256, as hexadecimal digits, of the weights that ``save_model`` wrote: none are loaded."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.name.startswith("weights."):
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
