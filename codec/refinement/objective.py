"""What refinement lowers: bits and distortion of one file, weighted as in training."""

from __future__ import annotations

import math
from typing import Callable, NamedTuple

import numpy as np
import tensorflow as tf

from codec.image_codec import to_pixels
from codec.latent_coder import LatentCoder, Latents
from models import Autoencoder

LARGEST = 2**22
"""Pixels of the largest image that is refined. A step keeps all activations of the synthesis and of
its gradient: about 2 KiB per pixel with 192 filters."""

Progress = Callable[[int, int, float], None]
"""Called with the number of the step (from 1), the largest number of steps, and the loss."""


class Refined(NamedTuple):
    """Result of a refinement.

    Attributes:
        latents: what to code: the refined latents, or those of the analysis if they were better.
        steps: number of steps taken.
        loss_before: of the analysis' latents, see ``Objective.loss``.
        loss: of ``latents``; never larger.
    """

    latents: Latents
    steps: int
    loss_before: float
    loss: float


class Objective:
    """``bits per pixel + lmbda * distortion`` under one model.

    Attributes:
        model: trained and frozen.
        coder: of its latents.
        lmbda: weight of the distortion.
        distortion: of a batch of originals and reconstructions, see ``distortion``.
    """

    def __init__(self, model: Autoencoder, distortion: Callable, lmbda: float):
        """Takes what the model was trained with.

        Raises:
            ValueError: ``lmbda`` is not a positive number.
        """
        if not 0 < lmbda < math.inf:
            raise ValueError(f"lmbda={lmbda} must be positive.")
        if model.setting is not None:  # It is computed outside of graphs.
            model = model.at_rate(model.setting)
        self.model = model
        self.coder = LatentCoder(model)
        self.lmbda = lmbda
        self.distortion = distortion

    def start(self, pixels: np.ndarray) -> Latents:
        """Latents and hyper-latents of uint8 ``[height, width, 3]``, as the analyses give them.

        Raises:
            ValueError: the image is too large to be refined.
        """
        height, width = pixels.shape[:2]
        if height * width > LARGEST:
            raise ValueError(
                f"image of {width} x {height} pixels: refinement takes at most {LARGEST} "
                f"({LARGEST / 1e6:.1f} megapixels), because a step holds all of it in memory."
            )
        values = self.model.analyze(pixels)
        if self.model.hyper is None:
            return Latents(values)
        return Latents(values, self.model.hyper.analysis(values[tf.newaxis])[0])

    def loss(self, pixels: np.ndarray, latents: Latents) -> float:
        """The loss of these latents' file: its symbols' bits and the 8-bit image it decodes to."""
        height, width = pixels.shape[:2]
        coded = self.coder.quantize(latents)
        decoded = to_pixels(self.model.synthesize(coded.values, height, width))
        distortion = self.distortion(as_batch(pixels), as_batch(decoded))[0]
        bits = self.coder.symbol_bits(coded)
        return bits / (height * width) + self.lmbda * float(distortion)

    def soft_distortion(self, images: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        """``lmbda * distortion`` of the synthesis' output, differentiable.

        Args:
            images: x, float32 ``[1, height, width, 3]``.
            values: y_hat, float32 ``[1, rows, columns, channels]``.

        Returns:
            float32 scalar.
        """
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        decoded = self.model.transforms.synthesis(values)[:, :height, :width]
        # Files decode to 8-bit pixels: nothing is beyond black or white.
        decoded = tf.clip_by_value(decoded, 0.0, 255.0)
        return self.lmbda * self.distortion(images, decoded)[0]


def as_batch(pixels: np.ndarray) -> tf.Tensor:
    """The image as float32 ``[1, height, width, 3]``."""
    return tf.cast(pixels, tf.float32)[tf.newaxis]


def check_own_grids(name: str, quantizer, channels: int) -> None:
    """Checks that each latent has a grid of its own: refinement moves single symbols.

    Args:
        name: of the refinement, for the message.
        quantizer: of the latents (of one slice, if there are several), or of the hyper-latents.
        channels: that it quantizes.

    Raises:
        ValueError: symbols are indices of codes, the grid of one depends on others, or steps of a
            grid are not equal.
    """
    if quantizer.alphabet.kind != "integers":
        what = "indices of codes"
    elif len(quantizer.layout(channels).passes) > 1:
        what = "grids that depend on other symbols"
    elif not quantizer.equal_cells:
        what = "cells of unequal width"
    else:
        return
    raise ValueError(
        f"refinement={name} needs a quantizer that rounds each latent by itself, in equal steps, "
        f"but {type(quantizer).__name__} has {what}."
    )
