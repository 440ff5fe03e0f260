"""The record that declares a metric."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any, Callable, NamedTuple

import numpy as np

from evaluation.media import Medium


class Metric(NamedTuple):
    """A quality metric: everything that results, tables, figures and comparisons need to know.

    Attributes:
        key: in JSON results.
        column: in CSV files and rows.
        name: in tables.
        unit: of what figures and comparisons show; empty for a plain number.
        medium: which files it measures.
        function: ``(original, decoded)`` -> float for uint8 images; ``(original, decoded,
            sample_rate)`` -> float for float audio. NaN where the original does not allow it.
        definition: what results files state. Results compare only where definitions are equal:
            whoever changes a metric changes its definition.
        higher_is_better: False for a distance.
        digits: after the decimal point, in tables.
        partial: why some originals have no value. The mean is then over those that have one; if
            it is empty, one NaN makes the mean NaN.
        package: optional Python package without which every value is NaN.
        scale: from a mean over files to what figures and comparisons show.
        note: what a reader of a comparison must know about ``scale``.
        in_file_lines: whether tables show it for each file, and not in the means alone.
    """

    key: str
    column: str
    name: str
    unit: str
    medium: Medium
    function: Callable[..., float]
    definition: str
    higher_is_better: bool = True
    digits: int = 2
    partial: str = ""
    package: str = ""
    scale: Callable[[Any], np.ndarray] = np.asarray
    note: str = ""
    in_file_lines: bool = True

    @property
    def label(self) -> str:
        """The name of what `decibels` gives."""
        return self.name if self.higher_is_better else f"-{self.name}"

    @property
    def axis(self) -> str:
        """`label` and unit, for axes and table headings."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def decibels(self, mean: Any) -> np.ndarray:
        """Converts means over files to what comparisons use, in ``unit``: higher is better."""
        return self.scale(mean) if self.higher_is_better else np.negative(self.scale(mean))

    @property
    def width(self) -> int:
        """Characters of a table's column."""
        return max(len(self.name), self.digits + 3) + 1


@functools.cache
def is_installed(package: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(package) is not None
