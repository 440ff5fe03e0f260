"""What benchmark and model table share: cases in turn, a photograph, models of given sizes."""

from __future__ import annotations

import pathlib
import statistics
import time
from collections.abc import Callable

import numpy as np

import assembly  # noqa: F401 (a command's process settings, made before TensorFlow is imported)

# A process inherits the peak of the one that starts it, so a small one stands in between.
PEAK_OF_CHILD = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def in_turn(cases: dict[str, Callable], rounds: int) -> dict[str, float]:
    """Median seconds of each case; the cases take turns. Two rounds before are not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(rounds + 2):
        for name, case in cases.items():
            started = time.perf_counter()
            case()
            if turn >= 2:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def photograph(height: int, width: int) -> np.ndarray:
    """A photograph from the scikit-image wheel, mirrored up to a size."""
    import skimage

    from data import read_image

    pixels = read_image(pathlib.Path(skimage.__file__).parent / "data" / "coffee.png")
    down, across = height - pixels.shape[0], width - pixels.shape[1]
    return np.pad(pixels, [[0, max(down, 0)], [0, max(across, 0)], [0, 0]], "symmetric")


def configured_model(name: str, filters: int, latents: int | None, precision: str):
    """An untrained model of ``configs/model`` with uniform noise in all slots.

    Args:
        name: of the YAML.
        filters: its ``num_filters``.
        latents: its ``latent_channels``, None where it has no such setting.
        precision: of the transforms.
    """
    import tensorflow as tf
    from omegaconf import OmegaConf

    from assembly.choices import CONFIGS
    from assembly.parts import build_part
    from entropy import auto_entropy_model
    from quantizers import ScalarQuantizer, UniformNoise

    def quantizer(seed):
        return ScalarQuantizer(decoder=UniformNoise(seed=seed), rate=UniformNoise(seed=seed))

    model = OmegaConf.load(CONFIGS / "model" / f"{name}.yaml")
    config = OmegaConf.create({"precision": precision, "model": model})
    config.model.transforms.num_filters = filters
    if latents is not None:
        config.model.transforms.latent_channels = latents
    parts = {"quantizer": quantizer(0), "entropy": auto_entropy_model}
    if "hyper" in config.model:
        parts.update(hyper_quantizer=quantizer(1), hyper_entropy=auto_entropy_model)
    tf.keras.utils.set_random_seed(0)
    return build_part(config.model, **parts)


def codec_of(model, pixels: np.ndarray):
    """A codec over an untrained model whose latents get standard deviation 1 on an image."""
    import tensorflow as tf

    from codec import ImageCodec

    kernel = model.transforms._analysis.layers[-1].kernel
    latents = model.transforms.analysis(tf.constant(pixels[np.newaxis], tf.float32))
    kernel.assign(kernel / np.std(latents))
    model.freeze()
    return ImageCodec(model, "untrained")
