"""Which classes a saved configuration may name: the run may be a stranger's (docs/security.md).

Instantiating a ``_target_`` calls it, whatever it is. A saved run may call what the YAMLs of its
group name, in ``configs/`` and in the configuration folders that the user names, and schedules.
"""

from __future__ import annotations

import pathlib
import re
from typing import Any, Collection, FrozenSet, Iterable, Iterator, Optional, Sequence, Tuple

import yaml
from omegaconf import DictConfig, OmegaConf

from assembly.choices import CONFIGS
from quantizers.base import schedules
from training.older_configurations import up_to_date
from training.saved_configuration import LOADER

_GROUP_OF = {**dict.fromkeys(("decoder", "rate", "hyper_quantizer"), "quantizer"), "rates": "rate"}
"""Setting -> the group of its choices, where the names differ."""

_ANY_GROUP = "experiment"
"""Folder whose files, as those outside of all folders, set anything."""

_REMOTE = re.compile(r"[^/]*:[^/\d*]")
"""A TFDS dataset of a namespace, as ``huggingface:name``: its code may come from elsewhere."""


def check_trusted(config: DictConfig, trusted: Collection[str] = ()) -> None:
    """Checks the configuration of a saved run before anything is built of it.

    Args:
        config: with the classes' present names.
        trusted: classes besides those of ``configs/``, see `targets_in` and `targets_of`.

    Raises:
        ValueError: it names a class that is not trusted, or a dataset whose code would run.
    """
    anywhere = {*trusted, *_schedules(), *_targets_of_group(_ANY_GROUP), *_targets_of_group(".")}
    for group, node in OmegaConf.to_container(config).items():
        found = list(_targets(node, str(group)))
        known = {*anywhere, *_targets_of_group(_GROUP_OF.get(group, group))} if found else ()
        for name, target in found:
            if not isinstance(target, str) or target not in known:
                raise ValueError(
                    f"{name}._target_={target!r} is no {group} of Roundtrip: whoever trusts it "
                    "names the folder of its YAML with --config-dir."
                )
        dataset = node.get("name") if group == "data" and isinstance(node, dict) else None
        if _REMOTE.match(str(dataset)):
            raise ValueError(
                f"data.name={dataset!r} of a saved run is a dataset with code of its own: whoever "
                "trusts it gives data= on the command line."
            )


def targets_in(folders: Iterable[str]) -> FrozenSet[str]:
    """The classes that all YAMLs in configuration folders name."""
    files = (path for folder in folders for path in pathlib.Path(folder).rglob("*.yaml"))
    return frozenset(target for path in files for target in _targets_of_file(path))


def targets_named(config_dir: Optional[str]) -> FrozenSet[str]:
    """The classes of ``--config-dir``, if it is given.

    Raises:
        ValueError: there is no such folder.
    """
    if config_dir is not None and not pathlib.Path(config_dir).is_dir():
        raise ValueError(f"--config-dir {config_dir!r} is not a folder.")
    return targets_in([] if config_dir is None else [config_dir])


def targets_of(config: DictConfig) -> FrozenSet[str]:
    """The classes that a composed configuration names."""
    return frozenset(target for _, target in _targets(OmegaConf.to_container(config)))


def named_folders(hydra: DictConfig) -> Sequence[str]:
    """Configuration folders that a command has, with --config-dir or ``hydra.searchpath``."""
    sources = hydra.runtime.config_sources
    named = [source.path for source in sources if source.schema == "file"]
    return [path for path in named if pathlib.Path(path).resolve() != CONFIGS]


def _targets_of_group(group: Any) -> Iterator[str]:
    for path in (CONFIGS / str(group)).glob("*.yaml"):
        yield from _targets_of_file(path)


def _schedules() -> Iterator[str]:
    """They may stand for any number."""
    for name, part in vars(schedules).items():
        if isinstance(part, type) and part.__module__ == schedules.__name__ and name[0] != "_":
            yield f"{schedules.__name__}.{name}"


def _targets_of_file(path: pathlib.Path) -> Iterator[str]:
    try:
        content = yaml.load(path.read_text(), LOADER)
    except (OSError, ValueError, yaml.YAMLError):
        return  # Hydra names the mistake if the file is used.
    for _, target in _targets(up_to_date(content)):
        if isinstance(target, str):
            yield target


def _targets(node: Any, name: str = "") -> Iterator[Tuple[str, Any]]:
    """Dotted name and ``_target_`` of every node in plain lists and dicts."""
    if isinstance(node, dict) and "_target_" in node:
        yield name, node["_target_"]
    if isinstance(node, (dict, list)):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _targets(value, f"{name}.{key}" if name else str(key))
