"""Multiply-accumulates of models, counted from their layers: convolutions and GDN's matrices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class Macs(NamedTuple):
    """Multiply-accumulates per pixel; ``prediction`` runs in encoder and decoder alike."""

    analysis: float
    synthesis: float
    hyper_analysis: float = 0.0
    prediction: float = 0.0

    @property
    def encoding(self) -> float:
        """Analysis, and what the encoder repeats of the decoder."""
        return self.analysis + self.hyper_analysis + self.prediction

    @property
    def decoding(self) -> float:
        """From symbols to pixels."""
        return self.synthesis + self.prediction


def macs_of(model) -> Macs:
    """Multiply-accumulates of a model."""
    transforms, hyper = model.transforms, model.hyper
    latents = transforms.stride**-2  # Per pixel.
    analysis = macs(transforms._analysis.layers, 1.0)
    synthesis = macs(transforms._synthesis.layers, latents)
    if hyper is None:
        return Macs(analysis, synthesis)
    prediction = sum(macs(layers, scale * latents) for layers, scale in hyper.decoding_layers)
    return Macs(analysis, synthesis, macs(hyper._analysis.layers, latents), prediction)


def macs(layers: Iterable, positions: float) -> float:
    """Multiply-accumulates of a stack of layers whose input has that many positions."""
    from models.lapped import CELL, LappedAnalysis, LappedSynthesis, PixelBlock, ResidualBlock
    from models.layers import GDN, Convolution, TransposedConvolution

    total = 0.0
    for layer in layers:
        if isinstance(layer, GDN):
            total += positions * layer.beta.shape[0] ** 2
        elif isinstance(layer, Convolution):
            positions /= layer.strides[0] ** 2
            total += positions * np.prod(layer.kernel.shape)
        elif isinstance(layer, TransposedConvolution):
            total += positions * np.prod(layer.kernel.shape)
            positions *= layer.strides[0] ** 2
        elif isinstance(layer, LappedSynthesis):
            total += positions * np.prod(layer.difference.shape)
            positions *= layer.size**2
        elif isinstance(layer, LappedAnalysis):
            positions /= layer.size**2
            total += positions * np.prod(layer.difference.shape)
        elif isinstance(layer, ResidualBlock):
            cells = positions / CELL**2 if isinstance(layer, PixelBlock) else positions
            total += macs(layer.convolutions, cells)
    return total
