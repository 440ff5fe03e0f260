"""Untrained models and codecs of chosen sizes, and a photograph for them."""

from __future__ import annotations

import functools
import pathlib

import numpy as np


def photograph(height: int, width: int) -> np.ndarray:
    """A photograph from the scikit-image wheel, mirrored up to a size."""
    import skimage

    from signals.image_files import read_image

    pixels = read_image(pathlib.Path(skimage.__file__).parent / "data" / "coffee.png")
    down, across = height - pixels.shape[0], width - pixels.shape[1]
    return np.pad(pixels, [[0, max(down, 0)], [0, max(across, 0)], [0, 0]], "symmetric")


def configured_model(
    name: str,
    filters: int,
    latents: int | None,
    precision: str = "float32",
    init_scale: float | None = None,
):
    """An untrained model of ``configs/model`` with uniform noise in all slots.

    Args:
        name: of the YAML.
        filters: its ``num_filters``.
        latents: its ``latent_channels``, None where it has no such setting.
        precision: of the transforms.
        init_scale: width of a factorized prior, 1 for latents of standard deviation 1; None: the
            entropy model that fits, as configured.
    """
    from omegaconf import OmegaConf

    from assembly.choices import CONFIGS
    from assembly.parts import build_part
    from entropy import FactorizedPrior, auto_entropy_model
    from processor.stack import set_random_seed
    from quantizers import ScalarQuantizer, UniformNoise

    def quantizer(seed):
        return ScalarQuantizer(decoder=UniformNoise(seed=seed), rate=UniformNoise(seed=seed))

    model = OmegaConf.load(CONFIGS / "model" / f"{name}.yaml")
    model.pop("defaults", None)
    config = OmegaConf.create({"precision": precision, "lmbda": 0.013, "model": model})
    config.model.transforms.num_filters = filters
    if latents is not None:
        config.model.transforms.latent_channels = latents
    entropy = init_scale and functools.partial(FactorizedPrior, init_scale=init_scale)
    parts = {"quantizer": quantizer(0), "entropy": entropy or auto_entropy_model}
    if "hyper" in config.model:
        parts.update(hyper_quantizer=quantizer(1), hyper_entropy=auto_entropy_model)
    set_random_seed(0)
    return build_part(config.model, **parts)


def codec_of(model, pixels: np.ndarray):
    """A codec over a model whose latents are scaled to standard deviation 1 on an image.

    Those of a model that begins as a working codec stay as they are.
    """
    import tensorflow as tf

    from codec import ImageCodec

    if model.transforms.latent_spreads is None:
        kernel = model.transforms._analysis.layers[-1].kernel
        latents = model.transforms.analysis(tf.constant(pixels[np.newaxis], tf.float32))
        kernel.assign(kernel / np.std(latents))
    model.freeze()
    return ImageCodec(model, "untrained")
