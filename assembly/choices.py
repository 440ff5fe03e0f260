"""Says in one line which choices a configuration group has, before Hydra says it in many."""

from __future__ import annotations

import pathlib
import re
from typing import Sequence

CONFIGS = pathlib.Path(__file__).resolve().parent.parent / "configs"


def check_choices(overrides: Sequence[str]) -> None:
    """Raises ValueError for the first ``group=choice`` whose choice has no file in its folder."""
    for override in overrides:
        match = re.fullmatch(r"((\w+)(?:@\w+)?)=([\w,. -]+)", override)
        if match is None or not (CONFIGS / match[2]).is_dir():
            continue
        known = sorted(path.stem for path in (CONFIGS / match[2]).glob("*.yaml"))
        for choice in match[3].split(","):
            if choice.strip() not in (*known, "null"):
                raise ValueError(
                    f"{match[1]}={choice.strip()!r} must be one of {', '.join(known)}."
                )
