"""The choices of the configuration groups, and what a run is named after."""

from __future__ import annotations

import dataclasses
import difflib
import pathlib
from typing import Dict, Iterable, List, Sequence, Type, TypeVar

from omegaconf import DictConfig, OmegaConf

from training.run_directory import NOT_PART_OF_A_RUN
from training.run_names import default_name
from training.settings import quantizers_of

S = TypeVar("S")

CONFIGS = pathlib.Path(__file__).resolve().parent.parent / "configs"

SCALARS_IN_NAMES = ("lmbda", "steps", "seed")
"""Scalars that a default run name shows."""


def choices_of(group: str) -> List[str]:
    """Names of the choices of a group in this project, sorted."""
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def check_names(option: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Raises ValueError for the first name that is not known."""
    for name in names:
        if name.strip() not in known:
            listed, end = ", ".join(known), did_you_mean(name, known)
            raise ValueError(f"{option}{name.strip()!r} must be one of {listed}{end}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence: ``; did you mean 'steps'?``, or a full stop if no word is similar."""
    by_lower_case = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.strip().lower(), by_lower_case, n=1, cutoff=0.65)
    return f"; did you mean {by_lower_case[close[0]]!r}?" if close else "."


def checked(settings: Type[S], config: DictConfig) -> S:
    """A configuration's root as a dataclass, which checks it.

    Raises:
        ValueError: a value is out of its range, or an unknown key was added (``+step=100``).
    """
    values = OmegaConf.to_container(config, resolve=True)
    known = [field.name for field in dataclasses.fields(settings)]
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{key}={value}: there is no such key{did_you_mean(key, known)}")
    return settings(**values)


def run_name(config: DictConfig, hydra: DictConfig) -> str:
    """``config.run``, or a name from choices and scalars, with a hash of all other overrides.

    Args:
        config: of train.py.
        hydra: Hydra's own node, which has the choices and the overrides.
    """
    if config.run is not None:
        return config.run
    choices = dict(hydra.runtime.choices)
    shown = {"model", "quantizer", "data", *SCALARS_IN_NAMES, *NOT_PART_OF_A_RUN}
    slots = [f"quantizer@{slot}" for slot in ("rate", "decoder")]
    shown.update(slot for slot in slots if choices.get(slot))
    if all(map(choices.get, slots)):  # Another quantizer would keep its other settings at most.
        shown.remove("quantizer")
    choices["quantizer"] = quantizers_of(choices)
    others = [text for text in hydra.overrides.task if text.split("=", 1)[0] not in shown]
    scalars: Dict[str, float] = {name: config[name] for name in SCALARS_IN_NAMES}
    return default_name(choices, scalars, others)
