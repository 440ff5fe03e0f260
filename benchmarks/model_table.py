"""Prints the table of models for the documentation: parameters, work, and coding time.

python benchmarks/model_table.py
python benchmarks/model_table.py --filters 64 --latents 96 --rounds 1

Encoding includes what the encoder repeats of the decoder, which is the prediction of the latents.
Seconds are medians for a photograph of 768x512 with untrained weights.
"""

from __future__ import annotations

import argparse

import numpy as np
from operations import macs_of
from timing import in_turn
from untrained_models import codec_of, configured_model, photograph

from processor.process import set_process

OWN_SIZES = {"lapped": (192, 320), "lapped_large": (384, 320)}
"""Models that the options leave at their N and M, because these belong together."""

MODELS = (
    *OWN_SIZES,
    "bls2017",
    "factorized",
    "hyperprior",
    "mean_scale_hyperprior",
    "channel_autoregressive",
)


def main() -> None:
    """Prints Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--filters", type=int, default=128, help="N of all models but the lapped ones"
    )
    parser.add_argument(
        "--latents", type=int, default=192, help="M of all but bls2017 and the lapped ones"
    )
    parser.add_argument("--rounds", type=int, default=3, help="times that the photograph is coded")
    arguments = parser.parse_args()
    if min(arguments.filters, arguments.latents, arguments.rounds) < 1:
        parser.error("--filters, --latents and --rounds must be at least 1.")
    pixels = photograph(512, 768)
    print("| model | N | M | parameters | kMAC/pixel, encode | decode | seconds, encode | decode |")
    print("|---|---|---|---|---|---|---|---|")
    for name in MODELS:
        usual = arguments.filters, None if name == "bls2017" else arguments.latents
        filters, latents = OWN_SIZES.get(name, usual)
        model = configured_model(name, filters, latents)
        macs = macs_of(model)
        codec = codec_of(model, pixels)
        data = codec.encode(pixels)
        cases = {
            "encode": lambda codec=codec: codec.encode(pixels),
            "decode": lambda codec=codec, data=data: codec.decode(data),
        }
        seconds = in_turn(cases, arguments.rounds)
        parameters = sum(np.prod(v.shape) for v in model.trainable_variables) / 1e6
        print(
            f"| `{name}` | {filters} | {model.transforms.latent_channels} "
            f"| {parameters:.2f} M | {macs.encoding / 1e3:.1f} | {macs.decoding / 1e3:.1f} "
            f"| {seconds['encode']:.2f} | {seconds['decode']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    set_process()
    main()
