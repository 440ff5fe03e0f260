"""Several distortions as one: the sum of each, in its own unit, times its weight."""

from __future__ import annotations

import math
from typing import Callable, Dict

import tensorflow as tf


class WeightedSum:
    """``sum(weight * measure)`` over named measures of one medium.

    Attributes:
        medium: of the measures.
        minimum_size: of the most demanding measure.
    """

    def __init__(self, *, measures: Dict[str, Callable], weights: Dict[str, float]):
        """Takes measures and weights by name.

        Args:
            measures: distortions of one medium.
            weights: weight of each measure, at least 0; a measure of weight 0 is not computed.

        Raises:
            ValueError: names differ, a weight is negative, all are 0, or media differ.
        """
        if set(measures) != set(weights):
            raise ValueError(f"weights={weights} must name the measures {', '.join(measures)}.")
        for name, weight in weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise ValueError(f"weights.{name}={weight} must be at least 0.")
        self._terms = [(weights[name], measures[name]) for name in measures if weights[name] > 0]
        if not self._terms:
            raise ValueError(f"weights={weights}: one must be above 0.")
        media = {measure.medium for measure in measures.values()}
        if len(media) > 1:
            raise ValueError(f"measures must be of one medium, got {', '.join(media)}.")
        self.medium = media.pop()
        self.minimum_size = max(measure.minimum_size for _, measure in self._terms)

    def __call__(self, originals: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
        """Compares two batches as the measures do; float32 [batch], in no unit."""
        return tf.add_n(
            [weight * measure(originals, reconstructions) for weight, measure in self._terms]
        )
