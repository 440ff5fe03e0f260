"""The configuration of one part, from its YAML alone: no Hydra, and nothing of it stays behind."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Union

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationKeyError, UnsupportedValueType

from assembly.choices import CONFIGS, check_names, choices_of, did_you_mean
from training.saved_values import check_references
from training.settings import register_resolvers


def choice_node(
    group: str,
    choice: Union[str, Mapping[str, Any]],
    settings: Optional[Mapping[str, Any]] = None,
    **scalars: Any,
) -> Dict[str, Any]:
    """A group's node as plain dicts and lists, its references resolved.

    Args:
        group: folder of ``configs/``.
        choice: name of a YAML there, or a node of your own with ``_target_``.
        settings: dotted key -> value, as ``{"decoder.alpha": 7}``; a dict replaces what is there.
        scalars: what nodes refer to, as ``steps`` and ``seed``; None for a scalar not given.

    Raises:
        ValueError: there is no such choice or key, or a value refers to a scalar not given.
        TypeError: the settings are no dict, or a value in them is nothing that a YAML may hold.
    """
    if not isinstance(settings, (Mapping, type(None))):
        raise TypeError(f"settings={settings!r} must be a dict.")
    if isinstance(choice, str):
        check_names(f"{group}=", [choice], choices_of(group))
        node = OmegaConf.load(CONFIGS / group / f"{choice}.yaml")
    elif isinstance(choice, Mapping):
        check_references(dict(choice))
        node = OmegaConf.create(dict(choice))
    else:
        raise ValueError(f"{group}={choice!r} must be a name, or a dict with _target_.")
    for key, value in (settings or {}).items():
        above, _, last = str(key).rpartition(".")
        parent = OmegaConf.select(node, above) if above else node
        # A list of the keys: a key whose value is missing is not "in" its node.
        if not OmegaConf.is_dict(parent) or last not in list(parent):
            known = parent if OmegaConf.is_dict(parent) else node
            raise ValueError(
                f"settings: {group} has no {key!r}{did_you_mean(last, map(str, known))}"
            )
        try:
            parent[last] = _plain(value)
        except UnsupportedValueType:
            raise TypeError(
                f"settings: {key}={value!r:.60} is no number, text, list or dict."
            ) from None
    register_resolvers()
    given = {name: _plain(value) for name, value in scalars.items() if value is not None}
    root = OmegaConf.create({**given, group: node})
    try:
        missing = sorted(OmegaConf.missing_keys(root))
        plain = OmegaConf.to_container(root[group], resolve=True)
    except InterpolationKeyError as error:
        lacking = ", ".join(f"{name}=" for name in scalars if name not in given)
        raise ValueError(
            f"{group}={choice!r}: {error.full_key} refers to what is not given: {lacking}"
        ) from None
    if missing:
        raise ValueError(f"{missing[0]} must be given: {group}={choice!r} has no value for it.")
    return plain


def _plain(value: Any) -> Any:
    """Numbers of NumPy as those of Python, which alone OmegaConf takes."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
