"""Small untrained models of every kind, and files that they coded, for ``fuzz.py`` to change."""

from __future__ import annotations

import functools
import gc
from typing import Dict, Iterator, List, Tuple

import numpy as np
from mutations import Original

SMALL_IMAGE = ("precision=float32", "model.transforms.num_filters=8")
SMALL_LAPPED = (
    *SMALL_IMAGE,
    "model.transforms.blocks=1",
    "++model.transforms.pixel_filters=8",
    "model.hyper.num_filters=8",
    "model.hyper.context_channels=16",
    "model.hyper.slices=4",
)
SMALL_AUDIO = (
    "precision=float32",
    "model.transforms.sample_rate=8000",
    "model.transforms.num_filters=4",
    "model.transforms.latent_channels=8",
    "model.transforms.strides=[4,4]",
    "model.transforms.dilations=[1]",
)

SMALL = {
    "audio": SMALL_AUDIO,
    "lapped": SMALL_LAPPED,
    "lapped_audio": (*SMALL_IMAGE, "model.transforms.sample_rate=8000"),
    "lapped_large": SMALL_LAPPED,
}
"""Model -> overrides of train.py; ``SMALL_IMAGE`` for the others."""


@functools.cache
def configurations() -> Dict[str, List[str]]:
    """Name -> overrides of train.py, for each model with each class of quantizer, and more.

    Where scales are predicted, quantizers of indices take the hyper-latents.
    """
    from omegaconf import OmegaConf

    from assembly.choices import CONFIGS, choices_of

    kinds: Dict[str, str] = {}
    for quantizer in choices_of("quantizer"):
        node = OmegaConf.load(CONFIGS / "quantizer" / f"{quantizer}.yaml")
        kinds.setdefault(node._target_, quantizer)
    of_indices = {quantizer for quantizer in kinds.values() if _codes_indices(quantizer)}
    found = {}
    for model in choices_of("model"):
        node = OmegaConf.load(CONFIGS / "model" / f"{model}.yaml")
        small = SMALL.get(model, SMALL_IMAGE)
        if "latent_channels" in node.transforms and model != "audio":
            small += ("model.transforms.latent_channels=32",)
        for quantizer in kinds.values():
            own = [f"quantizer={quantizer}"]
            if "hyper" in node and quantizer in of_indices:
                own = ["quantizer=mixed", f"quantizer@hyper_quantizer={quantizer}"]
            found[f"{model}/{quantizer}"] = [f"model={model}", *own, *small]
        bounded = ("quantizer=mixed", "quantizer.levels=2")
        found[f"{model}/bounded"] = [f"model={model}", *bounded, *small]
        found[f"{model}/variable"] = [f"model={model}", "quantizer=mixed", "rate=variable", *small]
        if "hyper" not in node:
            # Tables in which 0 is nearly certain: few bytes may hold many symbols.
            peaked = ("quantizer=mixed", "entropy=factorized", "entropy.init_scale=0.05")
            found[f"{model}/peaked"] = [f"model={model}", *peaked, *small]
    return found


def _codes_indices(quantizer: str) -> bool:
    from assembly.parts import build_part

    part = build_part(_compose([f"quantizer={quantizer}"]).quantizer)
    part.build(32)
    return part.alphabet.kind == "indices"


def build(name: str):
    """The codec of an untrained model whose latents fill the coding tables, and leave some."""
    import tensorflow as tf

    from assembly.parts import build_model
    from evaluation.media import MEDIA

    tf.keras.backend.clear_session()
    gc.collect()
    model = build_model(_compose(configurations()[name]))
    for variable in model.transforms.trainable_variables:
        if "kernel" in variable.name:
            variable.assign(3 * variable)
    model.freeze()
    return MEDIA[model.transforms.medium].codec(model, name)


def originals_of(codec) -> Iterator[Original]:
    """Coded files of several sizes."""
    rng = np.random.default_rng(0)
    for signal in _signals(codec.model.transforms.medium, rng):
        for options in ({}, {"fixed_length": True})[: 1 + codec.has_fixed_length]:
            yield original_of(codec, codec.encode(*signal, **options))


def _signals(medium: str, rng: np.random.Generator) -> Iterator[Tuple]:
    if medium == "image":
        for size in ((1, 1), (17, 90), (64, 48)):
            yield (rng.integers(0, 256, (*size, 3)).astype(np.uint8),)
        return
    for length, channels, rate in ((1, 1, 8000), (700, 2, 8000), (500, 1, 11025)):
        yield rng.uniform(-0.3, 0.3, (length, channels)).astype(np.float32), rate


def original_of(codec, data: bytes) -> Original:
    """The file that a codec wrote."""
    from codec.container import CodedAudio, CodedImage, unpack

    codec.decode(data)  # Builds what the first file would else be charged with.
    kind = CodedImage if codec.model.transforms.medium == "image" else CodedAudio
    return Original(data, unpack(data, codec.fingerprint, kind), _escapes(codec.model))


def _escapes(model) -> List[int]:
    """Where escapes begin in a model's tables of integers."""
    escapes = []
    for entropy in filter(None, (model.entropy, model.hyper_entropy)):
        if entropy.kind == "integers":
            lookup = entropy._tables().lookup.numpy()
            ends = np.append(np.flatnonzero(lookup < 0)[1:] - 1, len(lookup) - 1)
            escapes += lookup[ends - 1].tolist()
    return sorted(set(escapes))


def _compose(overrides: List[str]):
    import hydra

    from assembly.choices import CONFIGS
    from training.settings import register_settings

    register_settings()
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("train", overrides=overrides)
