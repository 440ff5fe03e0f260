"""``--help`` of train.py and evaluate.py: groups, choices and every key, from the YAML comments."""

from __future__ import annotations

import inspect
import json
import pathlib
import pkgutil
import re
import textwrap
from typing import Any, Dict, Iterator, List, Optional, Tuple

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

WIDTH = 100
COLUMN = 34


def print_help(config: DictConfig) -> None:
    """Prints help for the choices and values of a command, which Hydra has composed."""
    hydra = HydraConfig.get()
    folders = [source.path for source in hydra.runtime.config_sources if source.schema == "file"]
    introduction, comments = described(_find(folders, f"{hydra.job.config_name}.yaml"))
    # Of Hydra's own groups, the launcher has choices here, for a command that sweeps.
    choices = {
        group: choice
        for group, choice in reversed(list(hydra.runtime.choices.items()))
        if not group.startswith("hydra/") or _find(folders, f"{group}/{choice}.yaml")
    }
    print("\n".join(introduction))
    print("\nGroups, as GROUP=CHOICE (now):")
    loader = GlobalHydra.instance().config_loader()
    for group, choice in choices.items():
        name, _, slot = group.partition("@")
        options = f"choices as {name}" if slot else ", ".join(loader.get_group_options(name))
        print(_entry(f"{group}={choice or 'null'}", comments.get(group, options)))
        if group in comments:
            print(_entry("", options))
    print("\nSettings, as KEY=VALUE (now):")
    values = OmegaConf.to_container(config)
    packages = {_package(group) for group in choices}
    _print_keys({key: values[key] for key in values if key not in packages}, "", comments)
    for group, choice in choices.items():
        node = hydra.launcher if group == "hydra/launcher" else config.get(_package(group))
        path = choice and _find(folders, f"{group.partition('@')[0]}/{choice}.yaml")
        if not (path and isinstance(node, DictConfig)):
            continue
        introduction, comments = described(path)
        about = " ".join(line for line in introduction if line[:1] not in " @")  # No commands.
        print("\n" + textwrap.fill(f"Settings of {group}={choice}: {about}", WIDTH))
        _print_keys(OmegaConf.to_container(node), f"{_package(group)}.", comments)
    print("\nOther choices have other settings: GROUP=CHOICE --help shows them.")


def described(path: pathlib.Path) -> Tuple[List[str], Dict[str, str]]:
    """The comment at the top of a YAML file, and dotted key -> the comment on the key's line."""
    lines = path.read_text("utf-8").splitlines()
    top = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    introduction = [line[1:].removeprefix(" ") for line in lines[:top]] or [""]
    comments: Dict[str, str] = {}
    root = yaml.compose("\n".join(lines))
    first_keys: Dict[int, str] = {}  # A line's comment is on its first key.
    for key, line in _positions(root) if root is not None else ():
        first_keys.setdefault(line, key)
    for line, key in first_keys.items():
        comment = re.search(r"\s#\s*(.+)$", lines[line])
        if comment:
            comments.setdefault(key, comment[1])
    return introduction, comments


def documented(target: str) -> Dict[str, str]:
    """Argument -> its text in the docstrings of a class and its bases, or of a function."""
    part = pkgutil.resolve_name(target)
    found: Dict[str, str] = {}
    for each in reversed(part.__mro__ if inspect.isclass(part) else [part]):
        for doc in (each.__doc__, getattr(vars(each).get("__init__"), "__doc__", None)):
            section = re.search(r"(?ms)^Args:\n(.*?)(?=^\S|\Z)", inspect.cleandoc(doc or ""))
            for entry in re.split(r"(?m)^    (?=\w+: )", section[1]) if section else ():
                name, _, text = entry.partition(": ")
                found[name] = " ".join(text.split())
    return found


def _positions(node: yaml.Node, prefix: str = "") -> Iterator[Tuple[str, int]]:
    """Dotted keys and the lines they are on; entries of the defaults list count as keys."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _positions(item, "")
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        if name != "defaults":
            yield name, key.start_mark.line
        yield from _positions(value, f"{name}.")


def texts(node: Dict[str, Any], comments: Dict[str, str], above: str = "") -> Iterator[Tuple]:
    """Dotted key, value and description of everything in a node.

    Args:
        node: plain dicts and lists.
        comments: dotted key -> description; else it is that of the argument in the docstring, or
            that of the key above.
        above: key of the node, with a trailing dot.
    """
    arguments = documented(node["_target_"]) if "_target_" in node else {}
    for key, value in node.items():
        if key in ("_target_", "_partial_"):
            continue
        name = f"{above}{key}"
        text = comments.get(name) or arguments.get(key, "")
        if not isinstance(value, dict):
            yield name, _shown(value), text
            continue
        if "_target_" in value:
            yield name, value["_target_"], text
        for inner, shown, own in texts(value, comments, f"{name}."):
            yield inner, shown, own or text


def _shown(value: Any) -> str:
    if value == "???":
        return "(required)"
    return json.dumps(value) if value is None or isinstance(value, (bool, list)) else str(value)


def _print_keys(node: Dict[str, Any], prefix: str, comments: Dict[str, str]) -> None:
    for name, value, text in texts(node, comments):
        print(_entry(f"{prefix}{name}={value}", text))


def _entry(name: str, text: str) -> str:
    start = f"  {name}"
    start = start.ljust(COLUMN) if len(start) <= COLUMN - 2 else f"{start}\n{' ' * COLUMN}"
    lines = textwrap.wrap(text, WIDTH - COLUMN) or [""]
    return (start + ("\n" + " " * COLUMN).join(lines)).rstrip()


def _package(group: str) -> str:
    return group.rpartition("@")[2].replace("/", ".")


def _find(folders: List[str], name: str) -> Optional[pathlib.Path]:
    """A configuration file where Hydra finds it; None for one of Hydra's own."""
    paths = (pathlib.Path(folder) / name for folder in folders)
    return next((path for path in paths if path.is_file()), None)
