"""The root of evaluate.py's configuration: its scalars and what each may be."""

from __future__ import annotations

import dataclasses
from typing import Any, List, Optional, Sequence

from hydra.core.config_store import ConfigStore

SPLITS = ("train", "validation", "test", "all")


@dataclasses.dataclass
class EvaluationSettings:
    """One evaluation; ``configs/evaluate.yaml`` describes each key."""

    data: Any = None
    refinement: Any = None
    run: Optional[str] = None
    runs: Any = None
    pretrained: Optional[str] = None
    split: Optional[str] = None
    limit: Optional[int] = None
    stages: Optional[int] = None
    quality: Any = None
    checkpoint: str = "last"
    precision: str = "float32"
    classical: Optional[List[str]] = None
    overwrite: bool = False
    n_jobs: int = 1

    def __post_init__(self):
        """Raises ValueError for the first value out of its range."""
        named = {name: getattr(self, name) for name in ("run", "runs", "pretrained")}
        if sum(value is not None for value in named.values()) != 1:
            given = ", ".join(f"{name}={value}" for name, value in named.items())
            raise ValueError(f"{given}: give one of them.")
        for name in ("limit", "stages", "n_jobs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}={value} must be at least 1.")
        if not qualities(self.quality):
            raise ValueError(f"quality={self.quality} must name at least one quality, or be null.")
        for quality in filter(None, qualities(self.quality)):
            if isinstance(quality, bool) or not isinstance(quality, (int, float)):
                raise ValueError(f"quality={self.quality} must be a number or a list of numbers.")
        if self.split is not None and self.split not in SPLITS:
            raise ValueError(f"split={self.split!r} must be one of {', '.join(SPLITS)}.")


def qualities(setting: Any) -> Sequence[Any]:
    """The qualities that a setting asks for, one by one; None is the run's own."""
    return [setting] if setting is None or not isinstance(setting, Sequence) else list(setting)


def register_evaluation_settings() -> None:
    """Registers the schema; called before the configuration is composed."""
    ConfigStore.instance().store(name="evaluation_settings", node=EvaluationSettings)
