"""Starts a model from the weights of a trained run: what fits is taken, the rest stays new."""

from __future__ import annotations

from typing import Collection

import tensorflow as tf

from assembly.saved_run import load_run
from models import Autoencoder
from training.named_variables import by_place


def start_from(model: Autoencoder, run: str, trusted: Collection[str] = ()) -> str:
    """Copies the trained parameters that have the same place and shape in both models.

    Another lmbda, quantizer or data set leaves everything in place; another entropy model leaves
    the transforms. Coding tables, schedules and streams of noise are those of the new run.

    Args:
        model: untrained.
        run: name under ``runs/``, or a path.
        trusted: classes that the run may name besides those of ``configs/``.

    Returns:
        A log line: how many parameters were taken, and from where.

    Raises:
        FileNotFoundError: there is no such run.
        ValueError: it is not trained to its end, or nothing of it fits.
    """
    saved = load_run(run, trusted=trusted)
    models = saved.codec.model, model
    theirs, own = (by_place(each, each.trainable_variables) for each in models)
    fits = {p: v for p, v in own.items() if p in theirs and theirs[p].shape == v.shape}
    if not fits:
        raise ValueError(f"init_from={run!r}: no parameter of that run fits this model.")
    for place, variable in fits.items():
        variable.assign(theirs[place])
    taken, total = (sum(int(tf.size(v)) for v in p.values()) for p in (fits, own))
    new = sorted({place.split("/")[0] for place in own.keys() - fits.keys()})
    rest = f"; new parameters in {', '.join(new)}" if new else ""
    return f"init_from: {taken:,} of {total:,} parameters from {saved.directory.path}{rest}"
