"""How results were made: what all have in common, and a table of what curves differ in."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple

from evaluation.comparison.measurements import Measurement

_SHOWN = 4
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
    """Header and rows of a table: a row for each setting that is not the same in all results.

    A cell lists the values that the runs of a curve have. What only tells runs apart, such as their
    names and dates, is the number of values.

    Args:
        groups: name of a curve -> its runs, or its one file.
    """
    flat = {name: [_flat(_stated(each)) for each in members] for name, members in groups.items()}
    every = [each for members in flat.values() for each in members]
    keys = dict.fromkeys(key for each in every for key in each)
    rows = []
    for key in keys:
        if len({each.get(key, "-") for each in every}) > 1:
            cells = [_listed([each.get(key, "-") for each in members]) for members in flat.values()]
            rows.append([key, *cells])
    counts = ["results", *(str(len(members)) for members in groups.values())]
    return ["setting", *groups], [counts, *rows] if rows else []


def _listed(values: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(values))
    if len(distinct) <= _SHOWN:
        return ", ".join(distinct)
    numbers = [_number(value) for value in distinct]
    if None not in numbers and len(distinct) < len(values):
        return ", ".join(value for _, value in sorted(zip(numbers, distinct)))
    return f"{distinct[0]} and {len(distinct) - 1} more"


def _number(text: str):
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
    return {} if node is None else {prefix: str(node)}


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
