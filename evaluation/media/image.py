"""Images: uint8 pixels [height, width, 3], rates in bits per pixel."""

from __future__ import annotations

import numpy as np

from codec import HEADER_LIMIT, ImageCodec
from evaluation.media.medium import Medium
from signals.image_files import LOSSLESS_IMAGES, encode_image, read_image


def _image_cells():
    from evaluation.figures.cells import ImageCells  # Figures build on this package.

    return ImageCells()


IMAGE = Medium(
    name="image",
    content="images",
    files="images",
    unit="pixels",
    dtype=np.uint8,
    rate="bpp",
    rate_label="bits per pixel",
    rate_definition="bits per pixel of the file on disk (the uncompressed image has 24)",
    rate_digits=3,
    log_rates=False,
    size_columns=("height", "width"),
    refines=True,
    training_size="patch_size",
    examples=3,
    codec=ImageCodec,
    header_bytes=HEADER_LIMIT,
    lossless=LOSSLESS_IMAGES,
    read=lambda path: (read_image(path),),
    write=encode_image,
    whole_files=lambda source, split: source.images(split),
    signal=lambda file: (getattr(file, "pixels", file),),
    size=lambda signal: dict(zip(("height", "width"), signal[0].shape)),
    size_text=lambda size: f"{size['width']} x {size['height']} pixels",
    rate_of=lambda bits, size: bits / (size["height"] * size["width"]),
    comparable=lambda pixels: pixels,
    training_example=lambda file, transforms: file.pixels,
    classical=("JPEG", "WebP"),
    cells=_image_cells,
)
