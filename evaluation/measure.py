"""Rate and distortion of a learned codec, measured on files that were written and decoded again.

An estimate is not a result: every file is read back from disk, and what it decodes to must equal
the test-time reconstruction in every pixel.
"""

from __future__ import annotations

import hashlib
import math
import pathlib
import re
import time
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Protocol, Sequence

import numpy as np

from evaluation.media import IMAGE
from evaluation.metrics import image as metrics
from signals.files import write_atomically

# The coded size may leave the rounded estimate by this share (probabilities are stored with finite
# precision) ...
_SIZE_TOLERANCE = 0.005
# ... and by a few bytes: TFC's range coder ends a string 1 byte short of to 2 bytes beyond what its
# symbols need, and over the few symbols of a tiny image the finite precision does not average out.
_CODER_TAIL_BYTES = 4


class RoundTripError(RuntimeError):
    """A file does not hold what the model promised: no figure of this run can be trusted."""


class Image(Protocol):
    """A picture with a name that is unique in its dataset."""

    name: str
    pixels: np.ndarray  # uint8 [height, width, 3]


class QuantizedFile(Protocol):
    """One image or recording, analyzed and quantized."""

    def encode(self, fixed_length: bool = False) -> bytes:
        """The whole file; with `fixed_length` all symbols at the same bits."""

    def reconstruct(self, training: bool = False) -> Any:
        """The forward pass, no bytes involved: as at test time, or as while training."""

    def estimate_bits(self) -> Any:
        """Bits: `.noise`, `.training`, and `.rounded` for what is coded, `.side` of them aside."""


class Codec(Protocol):
    """What evaluation needs of a learned codec."""

    name: str
    has_fixed_length: bool  # whether files can have `fixed_length=True`

    def quantize(self, pixels: np.ndarray) -> QuantizedFile:
        """Everything up to the symbols, once for all that is measured; takes `latents=` too."""

    def decode(self, data: bytes) -> np.ndarray:
        """The pixels of a whole file; a ValueError where it is damaged."""


class Refine(Protocol):
    """Improves what will be coded of an image: the codec's own business, here only measured."""

    name: str

    def __call__(self, image: Image) -> Any:
        """`.latents` for the codec, and `.steps` that it took."""


class FileRow(NamedTuple):
    """One measured file. Bits are of the whole image, times in seconds, PSNR in dB."""

    file: str
    sha256: str  # of the original pixels
    height: int
    width: int
    bits_noise: float  # estimated under uniform noise; NaN where symbols are indices
    bits_training: float  # estimated at the rate value that the quantizer trained on
    bits_rounded: float  # estimated for the symbols that are coded
    bits_coded: int  # 8 x the size on disk, header included
    bits_fixed_length: float  # 8 x the size with a fixed length code, or NaN
    psnr_training: float  # of what the decoder saw while training
    psnr: float
    ms_ssim: float
    encode_seconds: float  # without refinement
    decode_seconds: float
    bits_side: float = 0.0  # part of `bits_rounded`: of the side information
    refine_steps: int = 0
    refine_seconds: float = 0.0

    medium = IMAGE

    @property
    def pixels(self) -> int:
        """Height x width."""
        return self.height * self.width

    @property
    def bpp_noise(self) -> float:
        """Bits per pixel, estimated under uniform noise."""
        return self.bits_noise / self.pixels

    @property
    def bpp_training(self) -> float:
        """Bits per pixel, estimated at the rate value of training."""
        return self.bits_training / self.pixels

    @property
    def bpp_fixed_length(self) -> float:
        """Bits per pixel of the file with a fixed length code, or NaN."""
        return self.bits_fixed_length / self.pixels

    @property
    def bpp_rounded(self) -> float:
        """Bits per pixel, estimated for the rounded values."""
        return self.bits_rounded / self.pixels

    @property
    def bpp_side(self) -> float:
        """Bits per pixel, estimated for the side information."""
        return self.bits_side / self.pixels

    @property
    def bpp(self) -> float:
        """Bits per pixel of the file on disk."""
        return self.bits_coded / self.pixels


def measure(
    codec: Codec,
    images: Iterable[Image],
    folder: pathlib.Path,
    *,
    progress: Optional[Callable[[FileRow], None]] = None,
    refine: Optional[Refine] = None,
) -> List[FileRow]:
    """Codes every image to ``folder/<name>.rtc`` and measures the files.

    Args:
        codec: The codec.
        images: Named images; read once, one at a time.
        folder: Where the files go; made when missing.
        progress: Called with every row as soon as it is measured.
        refine: Refines each image once, before it is coded; None codes what the analysis gives.

    Returns:
        One row an image, in their order.

    Raises:
        RoundTripError: A file does not decode to the test-time reconstruction.
        ValueError: There are no images.
    """
    rows = []
    for image in images:
        if not rows:
            # The first call builds graphs; that time belongs to no file.
            codec.decode(codec.quantize(image.pixels).encode())
        row = measure_image(codec, image, coded_file(folder, image.name), refine)
        rows.append(row)
        if progress is not None:
            progress(row)
    if not rows:
        raise ValueError("images must hold at least one image to measure, got none")
    return rows


def measure_image(
    codec: Codec, image: Image, path: pathlib.Path, refine: Optional[Refine] = None
) -> FileRow:
    """Codes one image to `path`, reads the file back, decodes and compares.

    Raises:
        RoundTripError: The file does not decode, or not to the test-time reconstruction.
    """
    start = time.perf_counter()
    refined = None if refine is None else refine(image)
    refine_seconds = 0.0 if refine is None else time.perf_counter() - start
    # File, reconstruction and estimate are of the same latents, or they could not be compared.
    given = {} if refined is None else {"latents": refined.latents}

    start = time.perf_counter()
    quantized = codec.quantize(image.pixels, **given)
    data = quantized.encode()
    encode_seconds = time.perf_counter() - start

    write_atomically(path, data)
    stored = path.read_bytes()

    start = time.perf_counter()
    try:
        decoded = codec.decode(stored)
    except ValueError as error:
        raise RoundTripError(f"{path}: the file just written does not decode: {error}") from error
    decode_seconds = time.perf_counter() - start

    reconstruction = quantized.reconstruct()
    _check_equal(path, decoded, reconstruction)
    bits_fixed_length = math.nan
    if codec.has_fixed_length:
        fixed = quantized.encode(fixed_length=True)
        _check_equal(path, codec.decode(fixed), reconstruction)
        bits_fixed_length = 8 * len(fixed)
    estimate = quantized.estimate_bits()
    height, width = image.pixels.shape[:2]
    return FileRow(
        file=image.name,
        sha256=pixel_digest(image.pixels),
        height=height,
        width=width,
        bits_noise=float(estimate.noise),
        bits_training=float(estimate.training),
        bits_rounded=float(estimate.rounded),
        bits_coded=8 * len(stored),
        bits_fixed_length=bits_fixed_length,
        psnr_training=metrics.psnr(image.pixels, quantized.reconstruct(training=True)),
        psnr=metrics.psnr(image.pixels, decoded),
        ms_ssim=metrics.ms_ssim(image.pixels, decoded),
        encode_seconds=encode_seconds,
        decode_seconds=decode_seconds,
        bits_side=float(estimate.side),
        refine_steps=0 if refined is None else refined.steps,
        refine_seconds=refine_seconds,
    )


def check_coded_size(rows: Sequence[Any], header_bytes: int) -> None:
    """Coded and rounded bits agree within 0.5 %, plus the header and 4 bytes of the range coder.

    Args:
        rows: Measured files, of images (`FileRow`) or of sound (`AudioFileRow`).
        header_bytes: The most that a file spends outside its payload.

    Raises:
        RoundTripError: A file is larger or smaller than that; lists the figures of each.
    """
    wrong = []
    for row in rows:
        slack = _SIZE_TOLERANCE * row.bits_rounded + 8 * _CODER_TAIL_BYTES
        excess = row.bits_coded - row.bits_rounded
        if not -slack <= excess <= slack + 8 * header_bytes:
            wrong.append(
                f"{row.file}: {row.bits_coded} bits coded, {row.bits_rounded:.0f} bits estimated "
                f"(rounded), allowed -{slack:.0f} to +{slack + 8 * header_bytes:.0f}"
            )
    if wrong:
        raise RoundTripError(
            f"coded size and estimate disagree in {len(wrong)} of {len(rows)} files: "
            + "; ".join(wrong)
        )


def coded_file(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Where `measure` keeps the file of an image or recording: ``<name>.rtc``.

    Different names are kept apart: what is not a letter, digit, dot or dash is percent-encoded.
    """
    safe = re.sub(r"[^\w.-]", lambda match: f"%{ord(match[0]):02X}", name)
    # File systems stop at 255 bytes; the digest keeps shortened names apart.
    if len(safe.encode()) > 200:
        safe = f"{safe[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return pathlib.Path(folder) / f"{safe}.rtc"


def pixel_digest(pixels: np.ndarray) -> str:
    """SHA-256 of shape and pixels, as hexadecimal digits."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels))
    return digest.hexdigest()


def _check_equal(path, decoded, expected):
    if decoded.shape != expected.shape or decoded.dtype != expected.dtype:
        raise RoundTripError(
            f"{path}: decodes to {decoded.dtype} {decoded.shape}, "
            f"the test-time reconstruction is {expected.dtype} {expected.shape}"
        )
    difference = np.abs(decoded.astype(np.int32) - expected).max(axis=-1)
    if difference.any():
        raise RoundTripError(
            f"{path}: {np.count_nonzero(difference)} of {difference.size} pixels differ from the "
            f"test-time reconstruction, by up to {difference.max()} grey levels"
        )
