"""The settings by which runs differ, as axes of TensorBoard's parallel coordinates."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Tuple, Union

from omegaconf import DictConfig, OmegaConf

from assembly.choices import CONFIGS
from evaluation.comparison.grouping import quantizer_choices, quantizer_name

SCALARS = ("lmbda", "steps", "batch_size", "seed", "precision")

PARTS = {
    "model": "model.transforms._target_",
    "data": "data._target_",
    "distortion": "distortion._target_",
}
"""Axis -> the class that it shows."""


def axes_of(config: DictConfig) -> Dict[str, Union[float, str]]:
    """Name -> value: scalars, parts by their names, and all numbers of quantizer and optimizer."""
    plain = OmegaConf.to_container(config, resolve=True)
    axes = {"quantizer": quantizer_name(plain, quantizer_choices(CONFIGS / "quantizer"))}
    for axis, key in PARTS.items():
        axes[axis] = str(OmegaConf.select(config, key)).rpartition(".")[2]
    axes.update({name: plain[name] for name in SCALARS})
    for group in ("quantizer", "optimizer"):
        axes.update(_numbers(plain[group], group))
    return axes


def _numbers(node: Dict[str, Any], above: str) -> Iterator[Tuple[str, float]]:
    for key, value in node.items():
        name = f"{above}.{key}"
        if isinstance(value, dict):
            yield from _numbers(value, name)
        elif isinstance(value, (int, float)) and key not in ("seed", "steps"):
            yield name, value
