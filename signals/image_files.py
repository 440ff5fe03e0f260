"""Image files as 8-bit RGB. Every source decodes here, so all follow the same rules.

=====================================  ===========================================================
file content                           decoded as
=====================================  ===========================================================
gray, 1-bit                            the value in all three channels (1-bit: 0 or 255)
palette                                the palette's colours
alpha (RGBA, gray or palette with      composited over white
alpha, one transparent colour)
16 bits per sample                     the high byte of each sample; the transparent colour of a
                                       16-bit PNG is ignored
CMYK or YCCK JPEG                      Pillow's conversion to RGB
EXIF orientation                       applied: pixels are as a viewer shows them
other metadata, colour profile         ignored, also damaged: samples are taken as sRGB
animation                              the first frame
=====================================  ===========================================================
"""

from __future__ import annotations

import contextlib
import io
import os
from typing import BinaryIO, Callable, Iterator, NamedTuple, Tuple, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from signals.files import Path, open_binary
from signals.image_metadata import orientation, without_metadata

MAX_PIXELS = 2**27
"""Larger images (about 11,585 x 11,585) are refused: a small file can claim any size."""

LOSSLESS_IMAGES = (".png", ".tif", ".tiff", ".bmp", ".ppm")
"""File types that store decoded pixels unaltered."""

# Folders are not searched for BMP and GIF; records of TFDS datasets hold them.
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the image upright."""

_OTHER_DEPTHS = {"L;2": 2, "L;4": 4, "RGB;16B": 16}
"""What Pillow calls the samples of a PNG without alpha -> bits of each, other than 8."""

_Read = TypeVar("_Read")


class NamedImage(NamedTuple):
    """One whole image."""

    name: str  # unique within its split
    pixels: np.ndarray  # uint8 [height, width, 3]


def read_image(path: Path) -> np.ndarray:
    """Reads a PNG, JPEG or WebP file as uint8 ``[height, width, 3]``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, truncated, damaged, not an image, or above ``MAX_PIXELS``.
    """
    with open_binary(path, "image") as file:
        return decode_image(file.read(), name=os.fspath(path))


def read_image_size(path: Path) -> Tuple[int, int]:
    """Height and width from a file's header, before orientation; raises as `read_image` does."""
    with open_binary(path, "image") as file:
        return decode_size(file, name=os.fspath(path))


def decode_image(encoded: bytes, *, name: str) -> np.ndarray:
    """Decodes a file's content as `read_image` does; errors call the image ``name``."""
    return _read(io.BytesIO(encoded), name, lambda image: np.array(_as_rgb(_upright(image))))


def decode_size(file: BinaryIO, *, name: str) -> Tuple[int, int]:
    """Height and width from a header, before orientation; raises as `decode_image` does."""
    return _read(file, name, lambda image: (image.height, image.width))


def encode_image(pixels: np.ndarray, suffix: str) -> bytes:
    """The file of uint8 ``[height, width, 3]``, in the format of a suffix such as ".png"."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=Image.registered_extensions()[suffix])
    return buffer.getvalue()


def _read(file: BinaryIO, name: str, use: Callable[[Image.Image], _Read]) -> _Read:
    """What ``use`` makes of the opened image; if need be, of the file without its metadata."""
    try:
        with _opened_image(file, name) as image:
            return use(image)
    except ValueError:
        file.seek(0)
        stripped = without_metadata(file.read())
        if stripped is None:
            raise
        # What is wrong with the pixels is said of the file as it is.
        with contextlib.suppress(ValueError), _opened_image(io.BytesIO(stripped), name) as image:
            return use(image)
        raise


@contextlib.contextmanager
def _opened_image(file: BinaryIO, name: str) -> Iterator[Image.Image]:
    too_large = f"{name} has more than the {MAX_PIXELS} pixels that are allowed."
    try:
        with Image.open(file, formats=_FORMATS) as image:
            if image.height * image.width > MAX_PIXELS:
                raise Image.DecompressionBombError
            _scale_transparent_colour(image)
            yield image
    except Image.DecompressionBombError as error:
        raise ValueError(too_large) from error
    except UnidentifiedImageError as error:
        file.seek(0)
        what = "not a PNG, JPEG or WebP image" if file.read(1) else "empty"
        raise ValueError(f"{name} is {what}.") from error
    # Damaged files make decoders raise OSError, SyntaxError, struct.error, IndexError and others.
    except Exception as error:
        reason = "out of memory" if isinstance(error, MemoryError) else error
        raise ValueError(f"{name} cannot be decoded: {reason}.") from error


def _scale_transparent_colour(image: Image.Image) -> None:
    """Pillow scales a PNG's samples to 8 bits, but not the colour to compare them with."""
    depth = _OTHER_DEPTHS.get(image.tile[0][3]) if image.format == "PNG" and image.tile else None
    if depth is None or "transparency" not in image.info:
        return
    if depth > 8:  # No 8-bit colour means it alone.
        del image.info["transparency"]
        return
    most = 2**depth - 1
    image.info["transparency"] = (image.info["transparency"] & most) * (255 // most)


def _upright(image: Image.Image) -> Image.Image:
    turn = _TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit gray, which Pillow itself would clip at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if "A" in image.mode or "transparency" in image.info:
        colours = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, colours)
    return image.convert("RGB")
