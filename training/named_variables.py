"""A model's variables by their places among its attributes, which tell them apart in files."""

from __future__ import annotations

from typing import Dict, Iterable

import tensorflow as tf

KERAS_VIEWS = {
    "_output_layers", "_output_coordinates", "_trainable_weights", "_non_trainable_weights",
}  # fmt: skip
"""Attributes in which Keras lists variables once more, in an order of their own."""


def by_place(model: tf.Module, variables: Iterable[tf.Variable]) -> Dict[str, tf.Variable]:
    """Place, as ``transforms/_analysis/layer/kernel``, to variable, for those of ``variables``."""
    wanted = {id(variable): variable for variable in variables}
    places: Dict[int, str] = {}
    for path, value in model._flatten(lambda v: isinstance(v, tf.Variable), with_path=True):
        if id(value) in wanted and not KERAS_VIEWS & {*path}:
            places.setdefault(id(value), "/".join(map(str, path)))
    return {place: wanted[key] for key, place in places.items()}
