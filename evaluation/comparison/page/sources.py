"""How results were made: what they have in common once, then what each curve and run has alone."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from evaluation.comparison.measurements import Measurement


def sources_of(groups: Mapping[str, Sequence[Measurement]]) -> Dict[str, Any]:
    """Heading -> what results files state about themselves: one entry for all, one for each curve.

    Args:
        groups: name of a curve -> its runs, or its one file.
    """
    stated = {name: [_stated(each) for each in members] for name, members in groups.items()}
    every = [each for of_curve in stated.values() for each in of_curve]
    shared = _shared(every)
    found: Dict[str, Any] = {f"all {len(every)} results": shared} if len(every) > 1 else {}
    for name, members in groups.items():
        of_curve = _shared(stated[name])
        own = _beyond(of_curve, shared) if len(every) > 1 else of_curve
        if len(members) > 1:
            runs = {each.source: _beyond(one, of_curve) for each, one in zip(members, stated[name])}
            own = {**own, "runs": runs}
        found[f"{name} ({len(members)} runs)" if len(members) > 1 else name] = own
    return found


def _stated(measurement: Measurement) -> Dict[str, Any]:
    results = measurement.results
    known = {"description": results.description, "metrics": results.metrics}
    return {"source": measurement.source, **known, **results.provenance}


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


def _beyond(stated: Dict[str, Any], shared: Dict[str, Any]) -> Dict[str, Any]:
    """The entries that are not among the shared ones."""
    own = {}
    for key, value in stated.items():
        if key not in shared:
            own[key] = value
        elif shared[key] != value:
            own[key] = _beyond(value, shared[key])
    return own
