"""The choices of the configuration groups, which are the YAML files in their folders."""

from __future__ import annotations

import pathlib
import re
from typing import Dict, List, Sequence

from omegaconf import DictConfig

from training.run_directory import NOT_PART_OF_A_RUN, default_name

CONFIGS = pathlib.Path(__file__).resolve().parent.parent / "configs"

SCALARS_IN_NAMES = ("lmbda", "steps", "seed")
"""Scalars that a default run name shows."""


def choices_of(group: str) -> List[str]:
    """Names of the choices of a group, sorted."""
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def check_choices(overrides: Sequence[str]) -> None:
    """Checks ``group=choice`` overrides, because Hydra's own message takes many lines.

    Raises:
        ValueError: a choice does not exist.
    """
    for override in overrides:
        match = re.fullmatch(r"((\w+)(?:@\w+)?)=([\w,. -]+)", override)
        if match is not None and (CONFIGS / match[2]).is_dir():
            check_names(f"{match[1]}=", match[3].split(","), [*choices_of(match[2]), "null"])


def check_names(option: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Raises ValueError for the first name that is not known."""
    for name in names:
        if name.strip() not in known:
            listed = ", ".join(choice for choice in known if choice != "null")
            raise ValueError(f"{option}{name.strip()!r} must be one of {listed}.")


def run_name(config: DictConfig, hydra: DictConfig) -> str:
    """``config.run``, or a name from choices and scalars, with a hash of all other overrides.

    Args:
        config: of train.py.
        hydra: Hydra's own node, which has the choices and the overrides.
    """
    if config.run:
        return config.run
    choices = dict(hydra.runtime.choices)
    shown = {"model", "quantizer", "data", *SCALARS_IN_NAMES, *NOT_PART_OF_A_RUN}
    slots = {slot: choices.get(f"quantizer@{slot}") for slot in ("rate", "decoder")}
    filled = [f"{slot}_{name}" for slot, name in slots.items() if name]
    shown.update(f"quantizer@{slot}" for slot, name in slots.items() if name)
    if len(filled) == len(slots):  # The quantizer keeps its other settings at most.
        shown.remove("quantizer")
        choices["quantizer"] = "-".join(filled)
    elif filled:
        choices["quantizer"] += f"-{filled[0]}"
    others = [text for text in hydra.overrides.task if text.split("=", 1)[0] not in shown]
    scalars: Dict[str, float] = {name: config[name] for name in SCALARS_IN_NAMES}
    return default_name(choices, scalars, others)
