"""A model spends the same bits on a whole image as on the training-sized tiles it consists of.

With zeros beyond the border of hyper-latents (``model.hyper.padding=zeros``) the ratio is anywhere
between 0.8 and 2.5, by the luck of the training.
"""

import itertools
import pathlib

import pytest
from hydra.utils import get_class
from omegaconf import OmegaConf

from assembly.parts import build_model, build_part
from codec.image_codec import ImageCodec
from training.step import TrainStep

PATCH = 128
STEPS = 150

SMALL = (
    "quantizer=mixed",
    "model.transforms.num_filters=16",
    "precision=float32",
    "batch_size=2",
    f"data.patch_size={PATCH}",
    f"steps={STEPS}",
)


CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs" / "model"


def models():
    """Every model of images; all but the first with side information of a class are slow."""
    seen = {None}
    for path in sorted(CONFIGS.glob("*.yaml")):
        config = OmegaConf.load(path)
        if get_class(config.transforms._target_).medium == "image":
            kind = config.hyper._target_ if "hyper" in config else None
            yield pytest.param(path.stem, marks=pytest.mark.slow if kind in seen else ())
            seen.add(kind)


@pytest.fixture(scope="module")
def pixels(compose):
    image = next(build_part(compose().data).images("validation")).pixels
    rows, columns = (side // PATCH * PATCH for side in image.shape[:2])
    return image[:rows, :columns]


def trained(config):
    source, model = build_part(config.data), build_model(config)
    step = TrainStep(
        model, build_part(config.distortion), build_part(config.optimizer), config.lmbda
    )
    batches = source.training_batches(batch_size=config.batch_size, seed=config.seed)
    for number, batch in enumerate(itertools.islice(batches, STEPS)):
        step.advance(number)
        step(batch)
    model.freeze()
    return model


def payload_bytes(codec, pixels):
    """Of the range-coded strings alone: see docs/format.md."""
    header, lengths_and_crc = 20, 6 if codec.model.hyper is not None else 0
    return len(codec.encode(pixels)) - header - lengths_and_crc


def whole_to_tiles(model, pixels):
    codec = ImageCodec(model, "test")
    rows, columns = (range(0, side, PATCH) for side in pixels.shape[:2])
    tiles = [pixels[r : r + PATCH, c : c + PATCH] for r in rows for c in columns]
    return payload_bytes(codec, pixels) / sum(payload_bytes(codec, tile) for tile in tiles)


@pytest.mark.parametrize("name", models())
def test_a_whole_image_costs_what_its_tiles_cost(compose, name, pixels):
    config = compose(f"model={name}", *SMALL)
    assert whole_to_tiles(trained(config), pixels) == pytest.approx(1, abs=0.1)
