"""The models in ``pretrained/``: their cards, and which of them codes a file by default.

A card is a ``README.md`` that begins with YAML between two lines of ``---``, as on model hubs.
``scripts/make_pretrained.py`` writes it. A model's weights never change once it is there, because
files name it by its fingerprint: a better one gets the next number.
"""

from __future__ import annotations

import pathlib
from typing import Any, Dict, Optional

import yaml

from signals.audio_files import AUDIO_SUFFIXES
from training import run_names
from training.run_names import PRETRAINED_PREFIX

CARD = "README.md"

DEFAULT = {"image": "image", "audio": "speech"}
"""Medium -> the model that codes where no run is named."""


def default_run(file: str) -> str:
    """The run that codes a file where none is named, by the file's suffix.

    Raises:
        ValueError: there is no pretrained model for such files.
    """
    audio = pathlib.Path(file).suffix.lower() in AUDIO_SUFFIXES
    run = PRETRAINED_PREFIX + DEFAULT["audio" if audio else "image"]
    try:
        run_names.run_path(run)
    except ValueError as error:
        raise ValueError(f"without --run, {file} needs a pretrained model: {error}") from None
    return run


def run_of(fingerprint: bytes) -> Optional[str]:
    """The pretrained model with this fingerprint, as the name of a run; None if there is none."""
    for name in run_names.pretrained_names():
        if read_card(name).get("fingerprint") == fingerprint.hex():
            return PRETRAINED_PREFIX + name
    return None


def read_card(name: str) -> Dict[str, Any]:
    """The card of a pretrained model.

    Raises:
        ValueError: it has none, or one that is damaged.
    """
    path = run_names.PRETRAINED / name / CARD
    try:
        opening, _, rest = path.read_text("utf-8").partition("\n")
        card = yaml.safe_load(rest.split("\n---\n")[0]) if opening == "---" else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} is no card: {' '.join(str(error).split())}.") from None
    if not isinstance(card, dict):
        raise ValueError(f"{path} is no card: it must begin with YAML between lines of '---'.")
    return card
