"""Prints the table of models for the documentation: parameters, work, and coding time.

python benchmarks/model_table.py
python benchmarks/model_table.py --filters 64 --latents 96 --rounds 1

Multiply-accumulates follow from the layers of models built from configs/model: convolutions and the
matrices of GDN. Encoding includes what the encoder repeats of the decoder, which is the prediction
of the latents. Seconds are medians for a photograph of 768x512 with untrained weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import numpy as np
from measuring import codec_of, configured_model, in_turn, photograph

MODELS = (
    "bls2017",
    "factorized",
    "hyperprior",
    "mean_scale_hyperprior",
    "channel_autoregressive",
)


def main() -> None:
    """Prints Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--filters", type=int, default=128, help="N of all models")
    parser.add_argument("--latents", type=int, default=192, help="M of all but bls2017")
    parser.add_argument("--rounds", type=int, default=3, help="times that the photograph is coded")
    arguments = parser.parse_args()
    if min(arguments.filters, arguments.latents, arguments.rounds) < 1:
        parser.error("--filters, --latents and --rounds must be at least 1.")
    pixels = photograph(512, 768)
    print("| model | N | M | parameters | kMAC/pixel, encode | decode | seconds, encode | decode |")
    print("|---|---|---|---|---|---|---|---|")
    for name in MODELS:
        latents = None if name == "bls2017" else arguments.latents
        model = configured_model(name, arguments.filters, latents, "float32")
        encode, decode = kilo_macs(model)
        codec = codec_of(model, pixels)
        data = codec.encode(pixels)
        cases = {
            "encode": lambda codec=codec: codec.encode(pixels),
            "decode": lambda codec=codec, data=data: codec.decode(data),
        }
        seconds = in_turn(cases, arguments.rounds)
        parameters = sum(np.prod(v.shape) for v in model.trainable_variables) / 1e6
        print(
            f"| `{name}` | {arguments.filters} | {model.transforms.latent_channels} "
            f"| {parameters:.2f} M | {encode:.1f} | {decode:.1f} "
            f"| {seconds['encode']:.2f} | {seconds['decode']:.2f} |",
            flush=True,
        )


def kilo_macs(model) -> tuple[float, float]:
    """Thousands of multiply-accumulates a pixel: encoding and decoding."""
    transforms, hyper = model.transforms, model.hyper
    analysis = macs(transforms._analysis.layers, 1.0)
    synthesis = macs(transforms._synthesis.layers, transforms.stride**-2)
    prediction = 0.0
    if hyper is not None:
        latents = transforms.stride**-2  # A pixel.
        analysis += macs(hyper._analysis.layers, latents)
        prediction = sum(macs(layers, scale * latents) for layers, scale in hyper.decoding_layers)
    return (analysis + prediction) / 1e3, (synthesis + prediction) / 1e3


def macs(layers: Iterable, positions: float) -> float:
    """Multiply-accumulates of a stack whose input has so many positions."""
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
    return total


if __name__ == "__main__":
    main()
