"""Names of runs: a folder in ``runs/``, a path, a pattern of these, a pretrained model."""

from __future__ import annotations

import hashlib
import pathlib
import re
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

from signals.files import matching_paths

PRETRAINED = pathlib.Path(__file__).resolve().parent.parent / "pretrained"
"""Run directories that come with the project, reduced to what coding needs."""

PRETRAINED_PREFIX = "pretrained:"
"""A run's name after this is that of a folder in `PRETRAINED`."""


def pretrained_names() -> List[str]:
    """Names of the pretrained models, each one's newest version last: image-2, image-10."""
    folders = (path.parent.name for path in PRETRAINED.glob("*/config.yaml"))
    return sorted((name for name in folders if name[0] != "."), key=_name_and_version)


def run_path(run: str) -> pathlib.Path:
    """A bare name is a folder in ``runs/``; anything with a separator is a path.

    ``pretrained:image-1`` is a pretrained model, ``pretrained:image`` its newest version.

    Raises:
        ValueError: the name is empty, or there is no such pretrained model.
    """
    if not run.strip():
        raise ValueError(f"run={run!r} must be a name or a path.")
    if run.startswith(PRETRAINED_PREFIX):
        return _pretrained_path(run[len(PRETRAINED_PREFIX) :])
    path = pathlib.Path(run).expanduser()
    return path if len(path.parts) > 1 else pathlib.Path("runs") / path


def existing_run_path(run: str) -> pathlib.Path:
    """The path of a run that is there: else, if that is, one relative to the working directory."""
    path = run_path(run)
    return pathlib.Path(run) if not path.exists() and pathlib.Path(run).exists() else path


def _pretrained_path(name: str) -> pathlib.Path:
    names = pretrained_names()
    fits = [each for each in names if name in (each, _name_and_version(each)[0])]
    if not fits:
        known = ", ".join(names) or "none in this checkout"
        raise ValueError(f"there is no pretrained model {name!r}; there are: {known}.")
    return PRETRAINED / (name if name in fits else fits[-1])


def _name_and_version(name: str) -> Tuple[str, int]:
    """``image-2`` -> image, 2; a name without a number has version 0."""
    match = re.fullmatch(r"(.+)-(\d+)", name)
    return (name, 0) if match is None else (match[1], int(match[2]))


def find_runs(patterns: Union[str, Sequence[str]]) -> List[pathlib.Path]:
    """The directories that names, paths and shell-style patterns match, in order, each once.

    A bare name or pattern is relative to ``runs/``, or else to the working directory. Files that
    match a pattern are ignored.

    Raises:
        ValueError: a pattern matches no directory, or there is none.
    """
    found: Dict[pathlib.Path, None] = {}
    for text in [patterns] if isinstance(patterns, str) else patterns:
        paths = matching_paths(run_path(text)) or matching_paths(text)
        folders = [path for path in paths if path.is_dir()]
        if not folders:
            raise ValueError(f"runs={text!r} names no run directory.")
        found.update(dict.fromkeys(folders))
    if not found:
        raise ValueError(f"runs={patterns!r} must name at least one run directory.")
    return list(found)


def default_name(
    choices: Mapping[str, str], scalars: Mapping[str, Any], other_overrides: Sequence[str]
) -> str:
    """A run's name after its choices; overrides that the name does not show add a short hash."""
    # A choice in a folder of its group has a slash, which would make the name a path.
    parts = [choices[group].replace("/", "_") for group in ("model", "quantizer", "data")]
    # Whole numbers in full: with six digits, seeds that are dates would share a name.
    texts = {name: f"{v:d}" if isinstance(v, int) else f"{v:g}" for name, v in scalars.items()}
    parts += [f"{name}{text}" for name, text in texts.items()]
    if other_overrides:
        parts.append(hashlib.sha256("\n".join(sorted(other_overrides)).encode()).hexdigest()[:6])
    return "-".join(parts)
