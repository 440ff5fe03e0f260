"""What a scalar surrogate does to single latents: values, gradients, and statistics of one cell.

The gradient is that of the surrogate's value with respect to the latent. Random surrogates are
drawn many times at each latent; value and gradient of a draw belong to the same sample.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence, Tuple

import numpy as np
import tensorflow as tf

from quantizers import ScalarSurrogate

DEAD_GRADIENT = 0.05
"""Gradients of smaller magnitude count as dead."""

RANGE = (5.0, 95.0)
"""Percentiles between which the draws of a random surrogate are shown."""

_DRAWS = 8000
_CELL_POINTS = 4096
_CELL_DRAWS = 256


class Spread(NamedTuple):
    """Draws at many latents: float64 ``[points]`` each, all equal without randomness."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Response(NamedTuple):
    """Values and gradients along a line of latents.

    Attributes:
        label: the surrogate's setting, such as "alpha = 7"; empty if nothing is annealed.
        value: in grid steps.
        gradient: d value / d latent.
    """

    label: str
    value: Spread
    gradient: Spread


class CellStatistics(NamedTuple):
    """Over draws, and over latents that are uniform on one cell of the grid.

    Attributes:
        rms_to_round: root mean square of the value minus ``round(y)``, in grid steps: how far the
            decoder's input is from that after training.
        rms_to_latent: the same for ``y``: the distortion of the latents. Rounding has 0.289,
            1 / sqrt(12).
        gradient_mean: mean of the gradient.
        gradient_deviation: its standard deviation.
        gradient_minimum: its minimum.
        gradient_maximum: its maximum.
        dead_share: share, 0 to 1, of gradients of magnitude below ``DEAD_GRADIENT``.
    """

    rms_to_round: float
    rms_to_latent: float
    gradient_mean: float
    gradient_deviation: float
    gradient_minimum: float
    gradient_maximum: float
    dead_share: float


def at_sharpnesses(surrogate: ScalarSurrogate, steps: int) -> Iterator[str]:
    """Sets the surrogate to its schedules' first, middle and last values.

    Args:
        surrogate: keeps the setting last yielded.
        steps: length of the run that the schedules belong to.

    Yields:
        A label for each new setting, while it is in force.
    """
    labels = set()
    for step in (0, steps // 2, steps):
        for annealed in surrogate.annealed.values():
            annealed.advance(step)
        label = ", ".join(
            f"{name} = {float(annealed.value.numpy()):.3g}"
            for name, annealed in surrogate.annealed.items()
        )
        if label not in labels:
            labels.add(label)
            yield label


def is_random(surrogate: ScalarSurrogate) -> bool:
    """Whether equal latents give different values or gradients."""
    values, gradients = _draw(surrogate, _cell(64), 2)
    return not (np.array_equal(*values) and np.array_equal(*gradients))


def respond(surrogate: ScalarSurrogate, latents: Sequence[float], label: str = "") -> Response:
    """Values and gradients at ``latents`` with the surrogate's current setting.

    Args:
        surrogate: if random, its generator advances.
        latents: in grid steps, ``[points]``.
        label: of the response.
    """
    draws = _DRAWS if is_random(surrogate) else 1
    return Response(label, *map(_spread, _draw(surrogate, latents, draws)))


def cell_statistics(surrogate: ScalarSurrogate) -> CellStatistics:
    """Statistics of the cell around 0 with the surrogate's current setting.

    A random surrogate is drawn a million times: rms errors and mean are accurate to three digits,
    minimum and maximum are those of the draws.
    """
    cell = _cell(_CELL_POINTS)
    draws = _CELL_DRAWS if is_random(surrogate) else 1
    values, gradients = _draw(surrogate, cell, draws)
    return CellStatistics(
        rms_to_round=_rms(values - np.round(cell)),
        rms_to_latent=_rms(values - cell),
        gradient_mean=float(gradients.mean()),
        gradient_deviation=float(gradients.std()),
        gradient_minimum=float(gradients.min()),
        gradient_maximum=float(gradients.max()),
        dead_share=float(np.mean(np.abs(gradients) < DEAD_GRADIENT)),
    )


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def _cell(points: int) -> np.ndarray:
    """Midpoints of equal parts of -1/2..1/2, which avoid ties and integers."""
    return (np.arange(points) + 0.5) / points - 0.5


def _draw(
    surrogate: ScalarSurrogate, latents: Sequence[float], draws: int
) -> Tuple[np.ndarray, np.ndarray]:
    """Values and gradients float64 ``[draws, points]``."""
    inputs = tf.tile(tf.constant(latents, tf.float32)[tf.newaxis], [draws, 1])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        values = surrogate(inputs)
    # A surrogate without any gradient, such as rounding itself, has gradient 0.
    gradients = tape.gradient(values, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return values.numpy().astype(np.float64), gradients.numpy().astype(np.float64)


def _spread(draws: np.ndarray) -> Spread:
    if len(draws) == 1:
        return Spread(draws[0], draws[0], draws[0])
    low, high = np.percentile(draws, RANGE, axis=0)
    return Spread(draws.mean(axis=0), low, high)
