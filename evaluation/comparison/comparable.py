"""The curves that can be compared with an anchor, and why the others cannot."""

from __future__ import annotations

from typing import Dict, Mapping, NamedTuple, Optional, Sequence

from evaluation.comparison.bd_rate import check_curve
from evaluation.comparison.curves import (
    Curve,
    check_same_files,
    check_same_metric,
    curve_of_file,
    curve_of_runs,
)
from evaluation.comparison.measurements import Measurement
from evaluation.metrics import Metric


class Unranked(NamedTuple):
    """A curve without a place in the ranking.

    Attributes:
        name: of the curve, or of the file that could not be read.
        reason: one sentence.
        curve: to draw; None if it cannot be drawn beside the others.
    """

    name: str
    reason: str
    curve: Optional[Curve] = None


class Comparable(NamedTuple):
    """Curves in one metric.

    Attributes:
        ranked: name -> curve with a BD-rate, if it overlaps with the anchor.
        unranked: those without.
    """

    ranked: Dict[str, Curve]
    unranked: Sequence[Unranked]

    @property
    def drawn(self) -> Dict[str, Curve]:
        """Name -> every curve that can be drawn."""
        others = {each.name: each.curve for each in self.unranked if each.curve is not None}
        return {**self.ranked, **others}


def comparable_curves(
    groups: Mapping[str, Sequence[Measurement]], metric: Metric, anchor: str
) -> Comparable:
    """The curves of groups of runs, or of the one file that holds each.

    A curve that is damaged, falls somewhere, has too few points, or was measured on other files or
    with another metric than the anchor, costs its own place and no other.

    Args:
        groups: name of a curve -> its runs, or its one file.
        metric: of the quality.
        anchor: name of the curve that the others are compared with.

    Raises:
        ValueError: this is so of the anchor.
    """
    reference = curve_of(anchor, groups[anchor], metric)
    _check_points(reference)
    ranked, unranked = {}, []
    # The anchor, and where it does not tell its files the first curve that does.
    examples = [reference]
    for name, members in groups.items():
        curve = None
        try:
            candidate = reference if name == anchor else curve_of(name, members, metric)
            for example in examples:
                _check_alike(example, candidate)
            curve = candidate
            _check_points(curve)
            ranked[name] = curve
            if curve.dataset is not None and examples[-1].dataset is None:
                examples.append(curve)
        except ValueError as error:
            unranked.append(Unranked(name, str(error), curve))
    return Comparable(ranked, unranked)


def curve_of(name: str, members: Sequence[Measurement], metric: Metric) -> Curve:
    """The curve of runs, or in their one file.

    Raises:
        ValueError: see `curve_of_runs` and `curve_of_file`.
    """
    if members[0].is_run:
        return curve_of_runs(name, members, metric)
    return curve_of_file(name, members[0], metric)


def _check_points(curve: Curve) -> None:
    metric = curve.metric
    units = {"rate_unit": metric.medium.rate, "unit": metric.unit}
    check_curve(curve.name, curve.rates, curve.quality, left_out=curve.left_out, **units)


def _check_alike(example: Curve, curve: Curve) -> None:
    """Raises a ValueError if two curves were not measured on the same files in the same way."""
    both = [(f"curve {each.name!r}", each) for each in (example, curve)]
    check_same_files([(name, each.dataset) for name, each in both])
    check_same_metric(curve.metric, {name: each.definition for name, each in both})
    if example.files and curve.files and example.file_digests != curve.file_digests:
        raise ValueError(
            f"curve {curve.name!r} has {curve.metric.key} of {curve.files} "
            f"{curve.metric.medium.files} and curve {example.name!r} of {example.files}, which are "
            "not the same ones: they cannot be compared."
        )
