"""Builds the parts of a run from its configuration."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from entropy import auto_entropy_model
from models import Autoencoder
from training.precision import resolve_precision
from training.settings import Settings


def checked_settings(config: DictConfig) -> Settings:
    """The root scalars as a checked object (``ValueError`` for the first that is out of range)."""
    return Settings(**OmegaConf.to_container(config, resolve=True))


def fill_slots(config: DictConfig) -> DictConfig:
    """The configuration with the slots of ``quantizer`` taken from ``decoder`` and ``rate``.

    ``quantizer@decoder=NAME`` puts a whole quantizer's node under ``decoder``; what counts of it is
    the slot of that name.

    Raises:
        ValueError: one of the quantizers involved has no such slot.
    """
    config = config.copy()
    for slot in ("decoder", "rate"):
        donor = config[slot]
        if donor is None:
            continue
        # A quantizer whose rate slot is null evaluates the rate on the decoder's value.
        part = donor.get(slot) or donor.get("decoder")
        if part is None or slot not in config.quantizer:
            which = donor if part is None else config.quantizer
            raise ValueError(f"quantizer@{slot}: {which._target_} has no {slot} slot.")
        config.quantizer[slot] = part
        config[slot] = None
    return config


def saved_form(config: DictConfig) -> DictConfig:
    """The configuration with what depends on this machine decided."""
    config = config.copy()
    config.precision = resolve_precision(config.precision)
    if config.get("strategy") == "single":
        config.strategy = None  # As in runs that are older than the setting.
    return config


def build_model(config: DictConfig) -> Autoencoder:
    """The untrained model; its initial weights depend on ``seed`` and ``model`` alone."""
    config = config.copy()
    config.precision = resolve_precision(config.precision)
    parts = {"quantizer": build_part(config.quantizer), "entropy": build_part(config.entropy)}
    if "hyper" in config.model:
        # Another seed: the noise on latents and on hyper-latents must not be the same.
        other = config.copy()
        other.seed = (config.seed + 1) % 2**31
        parts["hyper_quantizer"] = build_part(other.hyper_quantizer or other.quantizer)
        parts["hyper_entropy"] = auto_entropy_model
    # Seeded again here: what a quantizer draws must not shift the initial weights of the others.
    tf.keras.utils.set_random_seed(config.seed)
    return build_part(config.model, **parts)


def build_part(node: Any, **parts: Any) -> Any:
    """Instantiates one group's node with plain lists and dicts; a number stays what it is."""
    if not OmegaConf.is_config(node):
        return node
    return instantiate(node, _convert_="all", **parts)
