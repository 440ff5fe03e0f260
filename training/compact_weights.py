"""Weights of half the size: 16-bit numbers in one compressed file, for models that are shipped.

The model itself is rounded to 16 bits before its coding tables are made, so what is read back
equals it exactly, and its files decode wherever it is loaded.
"""

from __future__ import annotations

import pathlib
import zipfile
import zlib
from typing import Dict

import numpy as np
import tensorflow as tf

from models import Autoencoder
from training.named_variables import by_place
from training.whole_folder import write_whole

FILE = "weights.npz"

UNREADABLE = (
    OSError, EOFError, KeyError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
"""What NumPy and zipfile raise for damaged files: RuntimeError for methods that they lack."""

_HEADER_BYTES = 2**12
"""Room for what a NumPy file says of its array."""

_MOST_TABLE_BYTES = 2**26
"""Most bytes of a coding table, whose length no configuration says."""


def round_to_half(model: Autoencoder) -> None:
    """Rounds all trained parameters to what float16 can hold, and makes the coding tables anew.

    Raises:
        ValueError: a parameter is too large for float16.
    """
    for place, variable in by_place(model, model.trainable_variables).items():
        with np.errstate(over="ignore"):
            rounded = variable.numpy().astype(np.float16)
        if not np.isfinite(rounded).all():
            raise ValueError(f"{place}: a weight beyond {np.finfo(np.float16).max} is no float16.")
        variable.assign(rounded.astype(np.float32))
    model.freeze()


def save_compact(model: Autoencoder, folder: pathlib.Path, config: bytes) -> None:
    """Writes a model that ``round_to_half`` has rounded, as ``checkpoints.save_model`` does.

    Args:
        model: whose variables and coding tables are written.
        folder: that is made.
        config: the run's ``config.yaml``, of which the folder keeps a copy.
    """
    trained = {id(variable) for variable in model.trainable_variables}
    arrays = {}
    for place, variable in by_place(model, model.variables).items():
        value = variable.numpy()
        arrays[place] = value.astype(np.float16) if id(variable) in trained else value

    def write(temporary: pathlib.Path) -> None:
        np.savez_compressed(temporary / FILE, **arrays)
        (temporary / "config.yaml").write_bytes(config)

    write_whole(folder, write)


def read_compact(model: Autoencoder, path: pathlib.Path) -> None:
    """Reads what ``save_compact`` wrote into a model of the same configuration.

    Raises:
        ValueError: the file is damaged, or of a model with other parts.
    """
    variables = by_place(model, model.variables)
    try:
        for place, value in _arrays(path, variables).items():
            variables[place].assign(tf.cast(value, variables[place].dtype))
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"{str(path)!r} does not hold this configuration's model: {reason}"
        ) from error


def _arrays(path: pathlib.Path, variables: Dict[str, tf.Variable]) -> Dict[str, np.ndarray]:
    """The arrays, none of which is read unless it can be the variable of its name."""
    with zipfile.ZipFile(path) as archive:
        found = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if found.keys() != variables.keys():
            differing = min(found.keys() ^ variables.keys())
            raise ValueError(f"{differing} is only in one of the two.")
        for place, info in found.items():
            shape, most = variables[place].shape, _MOST_TABLE_BYTES
            if shape.is_fully_defined():
                most = shape.num_elements() * variables[place].dtype.size + _HEADER_BYTES
            if info.file_size > most:
                raise ValueError(f"{place} has {info.file_size} bytes, of at most {most}.")
    with np.load(path, allow_pickle=False) as arrays:
        return {place: arrays[place] for place in variables}
