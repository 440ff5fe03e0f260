"""Schedules: pure functions of the global step, for whatever a quantizer anneals.

Each keeps its first value until ``start_step`` and its last from ``end_step`` on. In YAML,
``end_step: ${steps}`` anneals until the run's last step.

Example:
    >>> Linear(start=1.0, end=7.0, end_step=100)(50)
    4.0
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
from typing import Protocol, Sequence, Tuple, Union


class Schedule(Protocol):
    """A pure function from the global step to a value, which knows its own bounds."""

    def __call__(self, step: int) -> float:
        """The value in force at ``step`` (the first training step is 0)."""

    @property
    def bounds(self) -> Tuple[float, float]:
        """The smallest and the largest value of the whole schedule."""


@dataclasses.dataclass(frozen=True)
class Constant:
    """The same ``value`` at every step."""

    value: float

    def __post_init__(self):
        _check_finite("value", self.value)

    def __call__(self, step: int) -> float:
        return float(self.value)

    @property
    def bounds(self) -> Tuple[float, float]:
        return float(self.value), float(self.value)


@dataclasses.dataclass(frozen=True)
class _Ramp:
    """From ``start`` to ``end`` between two steps; subclasses define the curve.

    Args:
        start: value until ``start_step``.
        end: value from ``end_step`` on.
        end_step: training step, above ``start_step``.
        start_step: training step, at least 0.
    """

    start: float
    end: float
    end_step: int
    start_step: int = 0

    def __post_init__(self):
        _check_finite("start", self.start)
        _check_finite("end", self.end)
        if not 0 <= self.start_step < self.end_step:
            raise ValueError(
                f"start_step={self.start_step}, end_step={self.end_step}: a schedule needs "
                "0 <= start_step < end_step."
            )

    def __call__(self, step: int) -> float:
        share = (step - self.start_step) / (self.end_step - self.start_step)
        return float(self._between(min(max(share, 0.0), 1.0)))

    @property
    def bounds(self) -> Tuple[float, float]:
        return float(min(self.start, self.end)), float(max(self.start, self.end))

    def _between(self, share: float) -> float:
        raise NotImplementedError


class Linear(_Ramp):
    """Equal differences per step."""

    def _between(self, share: float) -> float:
        return self.start + (self.end - self.start) * share


class Exponential(_Ramp):
    """Equal ratios per step; both ends must be positive."""

    def __post_init__(self):
        super().__post_init__()
        if min(self.start, self.end) <= 0:
            raise ValueError(
                f"start={self.start}, end={self.end}: an exponential schedule needs both > 0."
            )

    def _between(self, share: float) -> float:
        return self.start * (self.end / self.start) ** share


class Cosine(_Ramp):
    """Half a cosine wave: flat at both ends, steepest in the middle."""

    def _between(self, share: float) -> float:
        return self.end + (self.start - self.end) * 0.5 * (1 + math.cos(math.pi * share))


@dataclasses.dataclass(frozen=True)
class Step:
    """Piecewise constant: ``values[i]`` from ``boundaries[i - 1]`` on.

    Example:
        >>> Step(values=[1, 4, 16], boundaries=[100, 200])(100)
        4.0
    """

    values: Sequence[float]
    boundaries: Sequence[int]

    def __post_init__(self):
        # Tuples compare and hash alike, whether the arguments were lists or tuples.
        values: Tuple[float, ...] = tuple(self.values)
        boundaries: Tuple[int, ...] = tuple(self.boundaries)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "boundaries", boundaries)
        for value in values:
            _check_finite("values", value)
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                f"values={values}, boundaries={boundaries}: a step schedule needs one value more "
                "than it has boundaries."
            )
        if any(a >= b for a, b in itertools.pairwise(boundaries)) or min((0, *boundaries)) < 0:
            raise ValueError(f"boundaries={boundaries} must be steps >= 0 in rising order.")

    def __call__(self, step: int) -> float:
        return float(self.values[bisect.bisect_right(self.boundaries, step)])

    @property
    def bounds(self) -> Tuple[float, float]:
        return float(min(self.values)), float(max(self.values))


def as_schedule(value: Union[float, Schedule]) -> Schedule:
    """Turns a number into a constant schedule; returns a schedule as it is."""
    if callable(value):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is neither a number nor a schedule.")
    return Constant(value)


def _check_finite(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name}={value!r} must be a finite number.")
