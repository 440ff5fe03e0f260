"""CompressAI's bmshj2018-hyperprior, trained for some minutes and measured on its coded files.

PYTHON benchmarks/compressai_reference.py --photos /photos --test /kodak --minutes 5

PYTHON has torch and compressai, which are best kept out of Roundtrip's environment;
benchmarks/quality.py runs this with its option --compressai. Recipe and defaults are those of
CompressAI's example: Adam, batches of 16 patches of 256, a learning rate of 1e-4, gradients clipped
to a norm of 1. In bfloat16 and channels_last, which is the fastest form on a CPU that has both. The
last line of output is JSON: steps, minutes of training, and the mean of
``bpp + lmbda * mse`` over the test files, each coded, decoded and rounded to 8 bits.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import time
from typing import List

import numpy as np
import torch
from compressai.losses import RateDistortionLoss
from compressai.zoo import bmshj2018_hyperprior
from PIL import Image

STARTED = time.monotonic()
"""After the imports: their few seconds count for Roundtrip's recipes alone."""

MULTIPLE = 64
"""Sides that the model codes are multiples of this."""


def main() -> None:
    """Trains, measures, prints the line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", nargs="+", required=True, help="folders to train on")
    parser.add_argument("--test", required=True, help="folder to evaluate on")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--lmbda", type=float, default=0.013)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--patch-size", type=int, default=256)
    arguments = parser.parse_args()
    if not arguments.minutes > 0:
        parser.error(f"--minutes {arguments.minutes:g} must be above 0.")
    test = files_in(arguments.test)
    photos = [pixels_of(path) for folder in arguments.photos for path in files_in(folder)]
    photos = [photo for photo in photos if min(photo.shape[1:]) >= arguments.patch_size]
    if not photos or not test:
        parser.error("--photos and --test need images, those to train on as large as a patch.")
    torch.manual_seed(0)
    # Quality 1 to 5: 128 filters and 192 latents, as published for this lmbda.
    model = bmshj2018_hyperprior(quality=3).to(memory_format=torch.channels_last).train()
    steps = train(model, photos, arguments)
    minutes = (time.monotonic() - STARTED) / 60
    model.eval().update()
    losses = [loss_of(model, pixels_of(path), arguments.lmbda) for path in test]
    print(json.dumps({"steps": steps, "minutes": minutes, "loss": statistics.fmean(losses)}))


def files_in(folder: str) -> List[pathlib.Path]:
    """Images of a folder, sorted."""
    suffixes = {".jpg", ".jpeg", ".png", ".webp"}
    return sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in suffixes)


def pixels_of(path: pathlib.Path) -> torch.Tensor:
    """uint8 ``[3, height, width]``."""
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)


def patches(photos: List[torch.Tensor], batch: int, size: int, random) -> torch.Tensor:
    """float32 ``[batch, 3, size, size]`` in 0..1, cut anywhere from random photographs."""
    cut = []
    for number in random.integers(len(photos), size=batch):
        photo = photos[number]
        top, left = (random.integers(side - size + 1) for side in photo.shape[1:])
        cut.append(photo[:, top : top + size, left : left + size])
    return torch.stack(cut).float().div(255).contiguous(memory_format=torch.channels_last)


def train(model: torch.nn.Module, photos: List[torch.Tensor], arguments) -> int:
    """Trains until the minutes have passed; returns the number of steps."""
    named = dict(model.named_parameters())
    quantiles = [value for name, value in named.items() if name.endswith(".quantiles")]
    others = [value for name, value in named.items() if not name.endswith(".quantiles")]
    optimizer = torch.optim.Adam(others, lr=arguments.learning_rate)
    auxiliary = torch.optim.Adam(quantiles, lr=1e-3)
    criterion = RateDistortionLoss(lmbda=arguments.lmbda)
    random = np.random.default_rng(0)
    steps = 0
    while time.monotonic() - STARTED < 60 * arguments.minutes:
        batch = patches(photos, arguments.batch_size, arguments.patch_size, random)
        optimizer.zero_grad()
        auxiliary.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            output = model(batch)
        losses = criterion(
            {
                "x_hat": output["x_hat"].float(),
                "likelihoods": {key: each.float() for key, each in output["likelihoods"].items()},
            },
            batch,
        )
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        model.aux_loss().backward()
        auxiliary.step()
        steps += 1
        if steps % 50 == 0:
            print(f"step {steps}  loss {losses['loss'].item():.4f}", flush=True)
    return steps


def loss_of(model: torch.nn.Module, pixels: torch.Tensor, lmbda: float) -> float:
    """``bpp + lmbda * mse`` of one image, decoded again; its bits are those of its strings."""
    _, height, width = pixels.shape
    down, right = -height % MULTIPLE, -width % MULTIPLE
    image = pixels[None].float() / 255
    padded = torch.nn.functional.pad(image, (0, right, 0, down), mode="replicate")
    with torch.no_grad():
        coded = model.compress(padded)
        decoded = model.decompress(coded["strings"], coded["shape"])["x_hat"]
    decoded = (255 * decoded[0, :, :height, :width].clamp(0, 1)).round()
    mse = float(torch.mean((decoded - pixels.float()) ** 2))
    bits = 8 * sum(len(string) for strings in coded["strings"] for string in strings)
    return bits / (height * width) + lmbda * mse


if __name__ == "__main__":
    main()
