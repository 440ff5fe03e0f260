"""What a scalar surrogate does to single latents: values, gradients, and numbers over one cell.

A gradient is that of the surrogate's value for the latent it was made of. Random surrogates are
drawn many times at each latent; value and gradient of a draw belong to the same sample.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence, Tuple

import numpy as np
import tensorflow as tf

from quantizers import ScalarSurrogate

DEAD_GRADIENT = 0.05
"""Gradients of a smaller magnitude count as dead."""

RANGE = (5.0, 95.0)
"""Percentiles between which the draws of a random surrogate are shown."""

_DRAWS = 8000
_CELL_POINTS = 4096
_CELL_DRAWS = 256


class Spread(NamedTuple):
    """Draws at each of many latents: float64 ``[points]`` each; all equal without randomness."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Response(NamedTuple):
    """Values and gradients along a line of latents.

    Attributes:
        label: which setting of the surrogate, as "alpha = 7"; empty if nothing is annealed.
        value: in grid steps.
        gradient: d value / d latent.
    """

    label: str
    value: Spread
    gradient: Spread


class CellStatistics(NamedTuple):
    """Over latents that are uniform on one cell of the grid, and over draws.

    Attributes:
        rms_to_round: root of the mean squared distance of the value from ``round(y)``, in grid
            steps: how far the decoder's input is from that after training.
        rms_to_latent: the same from ``y``: the distortion that the surrogate puts into the latents;
            rounding has 1 / sqrt(12) = 0.289.
        gradient_mean: mean of the gradient.
        gradient_deviation: standard deviation of the gradient.
        gradient_minimum: smallest gradient met.
        gradient_maximum: largest gradient met.
        dead_share: share, 0 to 1, of gradients of a magnitude below ``DEAD_GRADIENT``.
    """

    rms_to_round: float
    rms_to_latent: float
    gradient_mean: float
    gradient_deviation: float
    gradient_minimum: float
    gradient_maximum: float
    dead_share: float


def at_sharpnesses(surrogate: ScalarSurrogate, steps: int) -> Iterator[str]:
    """Takes the surrogate through its schedules' first, middle and last values.

    Args:
        surrogate: left at the setting last yielded.
        steps: length of the run that the schedules belong to.

    Yields:
        A label of each setting that differs from the ones before, once it is in force.
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
    """Values and gradients at ``latents`` with the surrogate's present setting.

    Args:
        surrogate: a random one moves its generator on.
        latents: in grid steps, ``[points]``.
        label: that of the response.
    """
    draws = _DRAWS if is_random(surrogate) else 1
    return Response(label, *map(_spread, _draw(surrogate, latents, draws)))


def cell_statistics(surrogate: ScalarSurrogate) -> CellStatistics:
    """Numbers over the cell of 0 with the surrogate's present setting.

    Of a random surrogate a million draws are taken: rms errors and mean are good to three digits,
    minimum and maximum are those that these draws met.
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
    """Midpoints of equal parts of -1/2..1/2: no tie and no integer is among them."""
    return (np.arange(points) + 0.5) / points - 0.5


def _draw(
    surrogate: ScalarSurrogate, latents: Sequence[float], draws: int
) -> Tuple[np.ndarray, np.ndarray]:
    """Values and gradients float64 ``[draws, points]``."""
    inputs = tf.tile(tf.constant(latents, tf.float32)[tf.newaxis], [draws, 1])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        values = surrogate(inputs)
    # A surrogate without any gradient, such as rounding itself, has the gradient 0.
    gradients = tape.gradient(values, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return values.numpy().astype(np.float64), gradients.numpy().astype(np.float64)


def _spread(draws: np.ndarray) -> Spread:
    if len(draws) == 1:
        return Spread(draws[0], draws[0], draws[0])
    low, high = np.percentile(draws, RANGE, axis=0)
    return Spread(draws.mean(axis=0), low, high)
