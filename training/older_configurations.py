"""Brings the ``config.yaml`` of an older run up to date: moved classes, arguments added since."""

from __future__ import annotations

from typing import Any

MOVED = {
    "entropy.fitting": "entropy.auto_entropy_model",
    "models.hyper_transforms.": "models.hyperprior.",
    "quantizers.schedules.": "quantizers.base.schedules.",
}
"""Old beginning of a ``_target_`` -> new. A new class needs no entry; a class that moves does."""

ADDED = {
    "models.hyperprior.HyperTransforms": {"padding": "zeros"},
    "models.channel_autoregressive.ChannelAutoregressiveTransforms": {"padding": "zeros"},
}
"""``_target_`` -> arguments that it has gained, with the value that runs without them had."""


def up_to_date(node: Any) -> Any:
    """Plain lists and dicts as today's classes take them."""
    if isinstance(node, list):
        return [up_to_date(value) for value in node]
    if not isinstance(node, dict):
        return node
    node = {key: up_to_date(value) for key, value in node.items()}
    if isinstance(node.get("_target_"), str):
        node["_target_"] = _current(node["_target_"])
        node = {**ADDED.get(node["_target_"], {}), **node}
    return node


def _current(name: str) -> str:
    for old, new in MOVED.items():
        if name.startswith(old):
            return new + name[len(old) :]
    return name
