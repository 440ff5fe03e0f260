"""Builds the parts of a run from its configuration."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from assembly.argument_types import check_numbers
from assembly.explanations import built_in
from entropy import auto_entropy_model
from models import Autoencoder
from processor.stack import set_random_seed
from training.precision import resolve_precision
from training.saved_values import self_contained


def fill_slots(config: DictConfig) -> DictConfig:
    """The configuration with ``decoder`` and ``rate`` moved into the slots of ``quantizer``.

    ``quantizer@decoder=NAME`` puts a whole quantizer under ``decoder``; only its decoder slot is
    used, and likewise for ``rate``.

    Raises:
        ValueError: one of the quantizers has no such slot.
    """
    config = config.copy()
    for slot in ("decoder", "rate"):
        donor = config[slot]
        if donor is None:
            continue
        # A quantizer whose rate slot is null evaluates the rate on the decoder's value.
        part = donor.get(slot) or donor.get("decoder")
        if part is None or slot not in config.quantizer:
            lacking = donor if part is None else config.quantizer
            raise ValueError(f"quantizer@{slot}: {lacking._target_} has no {slot} slot.")
        config.quantizer[slot] = part
        config[slot] = None
    return config


def saved_form(config: DictConfig) -> DictConfig:
    """The configuration with everything decided that depends on the machine or the command."""
    config = self_contained(config)
    config.precision = resolve_precision(config.precision)
    if config.get("strategy") == "single":
        config.strategy = None  # As saved by runs from before this setting.
    return config


def build_model(config: DictConfig) -> Autoencoder:
    """The untrained model. Its initial weights depend on ``seed`` and ``model`` alone."""
    config = config.copy()
    config.precision = resolve_precision(config.precision)
    parts = {"quantizer": build_part(config.quantizer), "entropy": build_part(config.entropy)}
    if "hyper" in config.model:
        # Another seed, so that latents and hyper-latents get different noise.
        other = config.copy()
        other.seed = (config.seed + 1) % 2**31
        parts["hyper_quantizer"] = build_part(other.hyper_quantizer or other.quantizer)
        parts["hyper_entropy"] = auto_entropy_model
    if config.get("rates") is not None:
        parts["rate"] = build_part(config.rates)
    # Seeded again: random numbers that a quantizer drew must not change the initial weights.
    set_random_seed(config.seed)
    # Keras traces layers to build them; AutoGraph would rewrite each one's source first.
    return tf.autograph.experimental.do_not_convert(build_part)(config.model, **parts)


def build_part(node: Any, **parts: Any) -> Any:
    """Instantiates the node of one group with plain lists and dicts; returns a number as it is.

    Raises:
        ValueError: a value is out of its range, or text where a number must be.
        FileNotFoundError: a file or folder that it names does not exist.
    """
    if not OmegaConf.is_config(node):
        return node
    check_numbers(node)
    try:
        return instantiate(node, _convert_="all", **parts)
    except InstantiationException as error:
        raise built_in(error) from error
