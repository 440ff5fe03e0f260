"""Builds the parts of a run from its configuration."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from models import Autoencoder
from training.precision import resolve_precision
from training.settings import Settings


def checked_settings(config: DictConfig) -> Settings:
    """The root scalars as a checked object (``ValueError`` for the first that is out of range)."""
    return Settings(**OmegaConf.to_container(config, resolve=True))


def build_model(config: DictConfig) -> Autoencoder:
    """The untrained model; its initial weights depend on ``seed`` and ``model`` alone."""
    config = config.copy()
    config.precision = resolve_precision(config.precision)
    quantizer = build_part(config.quantizer)
    entropy = build_part(config.entropy)
    # Seeded again here: what a quantizer draws must not shift the initial weights of the others.
    tf.keras.utils.set_random_seed(config.seed)
    return build_part(config.model, quantizer=quantizer, entropy=entropy)


def build_part(node: DictConfig, **parts: Any) -> Any:
    """Instantiates one group's node with plain lists and dicts."""
    return instantiate(node, _convert_="all", **parts)
