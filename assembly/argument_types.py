"""Refuses what is not a number where a part takes one, before it fails deep inside or silently."""

from __future__ import annotations

import collections.abc
import inspect
import math
import pkgutil
from typing import Any, Dict, Optional, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, ListConfig


def check_numbers(node: Any) -> None:
    """Checks a node of the configuration and everything below it.

    Raises:
        ValueError: a value is no number, no whole one or no list of them, and its argument is
            annotated as such.
    """
    if isinstance(node, ListConfig):
        for item in node:
            check_numbers(item)
    if not isinstance(node, DictConfig):
        return
    hints = _hints(node["_target_"]) if "_target_" in node else {}
    for key, value in node.items():
        hint = hints.get(key)
        kinds = get_args(hint) or (hint,)
        if {int, float} & set(kinds):
            many = get_origin(hint) is collections.abc.Sequence
            rule = "number" if float in kinds else "whole number"
            rule = f"a list of {rule}s" if many else f"a {rule}"
            listed = isinstance(value, ListConfig)
            if listed != many or not all(_fits(v, kinds) for v in (value if listed else [value])):
                shown = "null" if value is None else repr(value)
                raise ValueError(f"{node._get_full_key(key)}={shown} must be {rule}.")
        check_numbers(value)


def _fits(value: Any, kinds: Any) -> bool:
    """Whether a value may be that of an argument of these types, which include a number's."""
    if isinstance(value, (str, bool, type(None))):
        return type(value) in kinds
    if isinstance(value, float):
        # 1e3 is a float to YAML. Runs of whole steps such as these exist.
        return not math.isnan(value) if float in kinds else value.is_integer()
    return True


def _hints(target: str) -> Dict[str, Any]:
    try:
        part = pkgutil.resolve_name(target)
        # What a class passes on to its base has the annotation there.
        kinds = reversed(part.__mro__) if inspect.isclass(part) else ()
        functions = [kind.__init__ for kind in kinds] or [part]
        hints: Dict[str, Any] = {}
        for function in functions:
            hints.update(get_type_hints(function))
            for name, parameter in inspect.signature(function).parameters.items():
                if parameter.default is None and name in hints:
                    hints[name] = Optional[hints[name]]
        return hints
    except Exception:  # Instantiation says what is wrong; hints may name what only checkers import.
        return {}
