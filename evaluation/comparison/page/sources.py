"""How results were made: what all have in common, and a table of what curves differ in."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from evaluation.comparison.measurements import Measurement

_SHOWN = 8
"""How many values of one setting a cell lists."""


def shared_by(groups: Mapping[str, Sequence[Measurement]]) -> Dict[str, Any]:
    """What all results files state alike about themselves.

    Args:
        groups: name of a curve -> its runs, or its one file.
    """
    return _shared([_stated(each) for members in groups.values() for each in members])


def differences_between(
    groups: Mapping[str, Sequence[Measurement]],
) -> Tuple[List[str], List[List[str]]]:
    """Header and rows of a table: a row for each setting that differs from curve to curve.

    A cell lists the values that the runs of a curve have. Left out is what only tells the runs of a
    curve apart, such as their seeds, names and dates.

    Args:
        groups: name of a curve -> its runs, or its one file.
    """
    flat = {name: [_flat(_stated(each)) for each in members] for name, members in groups.items()}
    rows = []
    for key in dict.fromkeys(key for members in flat.values() for each in members for key in each):
        values = [[each.get(key, "-") for each in members] for members in flat.values()]
        alike = len({frozenset(each) for each in values}) == 1
        if not (alike or key.endswith("seed") or any(map(_names_runs, values))):
            rows.append([key, *map(_listed, values)])
    counts = ["results", *(str(len(members)) for members in groups.values())]
    return ["setting", *groups], [counts, *rows]


def _names_runs(values: Sequence[str]) -> bool:
    """Whether each run of a curve has a text of its own."""
    return 1 < len(values) == len(set(values)) and None in map(_number, values)


def _listed(values: Sequence[str]) -> str:
    """The distinct values, numbers in order."""
    distinct = list(dict.fromkeys(values))
    numbers = [_number(value) for value in distinct]
    if None not in numbers:
        distinct = [value for _, value in sorted(zip(numbers, distinct))]
    shown = ", ".join(distinct[:_SHOWN])
    return shown if len(distinct) <= _SHOWN else f"{shown} and {len(distinct) - _SHOWN} more"


def _number(text: str) -> Optional[float]:
    try:
        return float(text)
    except ValueError:
        return None


def _flat(node: Any, prefix: str = "") -> Dict[str, str]:
    """Dotted key -> value as text; nulls are left out."""
    if isinstance(node, dict):
        flat: Dict[str, str] = {}
        for key, value in node.items():
            flat.update(_flat(value, f"{prefix}.{key}" if prefix else str(key)))
        return flat
    if isinstance(node, list):
        node = " ".join(map(str, node))
    # Classes without their packages: cells are narrow.
    short = str(node).rpartition(".")[2] if prefix.endswith("_target_") else str(node)
    return {} if node is None else {prefix: short}


def _stated(measurement: Measurement) -> Dict[str, Any]:
    results = measurement.results
    provenance = dict(results.provenance)
    config = provenance.pop("config", {})
    known = {"description": results.description, "metrics": results.metrics}
    return {"source": measurement.source, "config": config, **known, **provenance}


def _shared(every: List[Dict[str, Any]]) -> Dict[str, Any]:
    """The entries that are the same in all, also of dicts in them."""
    shared = {}
    for key, value in every[0].items():
        if not all(key in each for each in every):
            continue
        values = [each[key] for each in every]
        if all(each == value for each in values):
            shared[key] = value
        elif all(isinstance(each, dict) for each in values):
            below = _shared(values)
            shared.update({key: below} if below else {})
    return shared
