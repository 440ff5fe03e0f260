"""Finds text where a part takes a number, which would fail deep inside the part."""

from __future__ import annotations

import inspect
import pkgutil
from typing import Any, Dict, get_args, get_type_hints

from omegaconf import DictConfig, ListConfig


def check_numbers(node: Any) -> None:
    """Checks a node of the configuration and everything below it.

    Raises:
        ValueError: a value is text and its argument is annotated as a number.
    """
    if isinstance(node, ListConfig):
        for item in node:
            check_numbers(item)
    if not isinstance(node, DictConfig):
        return
    hints = _hints(node["_target_"]) if "_target_" in node else {}
    for key, value in node.items():
        kinds = get_args(hints.get(key)) or (hints.get(key),)
        if isinstance(value, str) and {int, float} & set(kinds) and str not in kinds:
            name = node._get_full_key(key)
            rule = "a number" if float in kinds else "a whole number"
            raise ValueError(f"{name}={value!r} must be {rule}.")
        check_numbers(value)


def _hints(target: str) -> Dict[str, Any]:
    try:
        part = pkgutil.resolve_name(target)
        return get_type_hints(part.__init__ if inspect.isclass(part) else part)
    except Exception:  # Instantiation says what is wrong; hints may name what only checkers import.
        return {}
