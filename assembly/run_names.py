"""What a run is called: as it was asked, or after its choices."""

from __future__ import annotations

from omegaconf import DictConfig

from training.run_directory import NOT_PART_OF_A_RUN, default_name

NAMED = ("lmbda", "steps", "seed")
"""Scalars that a default run name shows."""


def run_name(config: DictConfig, hydra: DictConfig) -> str:
    """``config.run``, or a name after choices, scalars and a hash of all else that was overridden.

    Args:
        config: of train.py.
        hydra: Hydra's own node, which knows choices and overrides.
    """
    if config.run:
        return config.run
    shown = {"model", "quantizer", "data", *NAMED, *NOT_PART_OF_A_RUN}
    others = [o for o in hydra.overrides.task if o.split("=", 1)[0] not in shown]
    return default_name(hydra.runtime.choices, {name: config[name] for name in NAMED}, others)
