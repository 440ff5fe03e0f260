"""What the values of a saved configuration may refer to: the run may be a stranger's.

OmegaConf's resolvers read the environment, and make nodes of text. A saved configuration refers to
its own settings only; what a command or a configuration folder took from elsewhere is saved as the
value that it had.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, Tuple

from omegaconf import DictConfig, OmegaConf

_SETTING = r"\$\{[\w.\[\]]+\}"
_SAVED = re.compile(
    rf"{_SETTING}|\$\{{oc\.select:[\w.]+(, ?[\w.]+)?\}}|\$\{{share_of:[\d.]+, ?{_SETTING}\}}"
)
"""``${name}``, ``${oc.select:name}`` and ``${share_of:0.75,${steps}}``: those of ``configs/``."""


def check_references(saved: Any) -> None:
    """Checks plain lists and dicts as they were read.

    Raises:
        ValueError: a value refers to something that is not a setting.
    """
    for name, value in _foreign(saved):
        raise ValueError(
            f"{name}={value!r}: a saved run may refer to its own settings only, as ${{name}}, "
            "${oc.select:name} and ${share_of:0.5,${name}} do."
        )


def self_contained(config: DictConfig) -> DictConfig:
    """The configuration with the values of all references that `check_references` refuses."""
    config = config.copy()
    for name, _ in list(_foreign(OmegaConf.to_container(config))):
        OmegaConf.update(config, name, OmegaConf.select(config, name))
    return config


def _foreign(node: Any, name: str = "") -> Iterator[Tuple[str, str]]:
    """Dotted name and text of each such value."""
    if isinstance(node, str) and "${" in node and not _SAVED.fullmatch(node):
        yield name, node
    elif isinstance(node, (dict, list)):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _foreign(value, f"{name}.{key}" if name else str(key))
