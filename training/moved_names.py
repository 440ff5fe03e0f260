"""Where the classes that older runs name in their ``config.yaml`` are now."""

from __future__ import annotations

from typing import Any

MOVED = {
    "entropy.fitting": "entropy.auto_entropy_model",
    "models.hyper_transforms.": "models.hyperprior.",
    "quantizers.schedules.": "quantizers.base.schedules.",
}
"""Old beginning of a ``_target_`` -> new. A new class needs no entry; a class that moves does."""


def with_current_names(node: Any) -> Any:
    """Plain lists and dicts with every ``_target_`` under its current name."""
    if isinstance(node, dict):
        return {
            key: _current(value) if key == "_target_" else with_current_names(value)
            for key, value in node.items()
        }
    return [with_current_names(value) for value in node] if isinstance(node, list) else node


def _current(name: str) -> str:
    for old, new in MOVED.items():
        if name.startswith(old):
            return new + name[len(old) :]
    return name
