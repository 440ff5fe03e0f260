"""Transforms that begin as a lapped transform codec and learn from there.

One linear layer each way, 16 pixels per latent, begins as the lapped orthogonal transform of color
images, scaled to the quantization step that is best at high rates. Residual blocks between it and
the latents begin as the identity. An untrained model thus is a working codec, and training starts
from there instead of from noise.
"""

from __future__ import annotations

import math
from typing import Optional

import numpy as np
import tensorflow as tf

from models import lapped_basis
from models.layers import without_border
from models.linear_start import LearnedKernel, ResidualBlock
from models.slice_context import phased, slice_sizes, unphased
from models.transforms import ImageTransforms, policy
from processor.stack import keras

SIZE = 16
"""Pixels per latent, along each axis."""

THRESHOLD = 0.13
"""Quantization steps by which untrained latents are moved towards zero."""

CELL = 4
"""Pixels per position of a block over pixels, along each axis."""


class LappedTransforms(ImageTransforms):
    """Images ``[b, 256, 256, 3]`` to latents ``[b, 16, 16, M]`` and back."""

    def __init__(
        self,
        *,
        lmbda: float,
        mse_weight: Optional[float] = None,
        latent_channels: int = 320,
        num_filters: int = 192,
        blocks: int = 2,
        pixel_filters: int = 96,
        step_factor: float = 1.1,
        slices: int = 1,
        phases: int = 1,
        precision: str = "float32",
    ):
        """Creates the layers and their variables.

        Args:
            lmbda: weight in the loss ``bpp + lmbda * mse``, above 0. At high rates a quantization
                step of ``sqrt(18 / (lmbda ln 2))`` gray levels minimizes it: a uniform quantizer's
                error is step^2 / 12 in each of three colors, and one bit more divides it by 4.
            mse_weight: for another distortion: the weight of an MSE that leads to about the same
                rate as a weight of 1 for that distortion, above 0. None: 1.
            latent_channels: channels of the latents (M), 1 to 768: the lowest frequencies.
            num_filters: channels inside a residual block (N), at least 1.
            blocks: residual blocks each way, at least 0.
            step_factor: the initial quantization step over that one, above 0: at usual rates a
                larger one is better.
            pixel_filters: channels inside a residual block over pixels each way; 0: no such block.
            slices: number of slices into which ``SliceContext`` divides the latents, at least 1.
            phases: number of phases in which it codes the first slice, at least 1; its latents then
                come once for each phase.
            precision: compute type of the layers, "float32" or "bfloat16".

        Raises:
            ValueError: an argument is out of its range.
        """
        mse_weight = 1.0 if mse_weight is None else mse_weight
        positive = dict(lmbda=lmbda, mse_weight=mse_weight, step_factor=step_factor)
        for name, number in positive.items():
            if not 0 < number < math.inf:
                raise ValueError(f"{name}={number} must be above 0 and finite.")
        if not 1 <= latent_channels <= 3 * SIZE**2:
            raise ValueError(f"latent_channels={latent_channels} must be 1 to {3 * SIZE**2}.")
        least = dict(num_filters=1, blocks=0, pixel_filters=0, slices=1, phases=1)
        numbers = dict(num_filters=num_filters, blocks=blocks, pixel_filters=pixel_filters)
        numbers.update(slices=slices, phases=phases)
        for name, number in numbers.items():
            if number < least[name]:
                raise ValueError(f"{name}={number} must be at least {least[name]}.")
        dtype = policy(precision)
        frequencies = lapped_basis.lowest_frequencies(SIZE, latent_channels)
        basis = lapped_basis.kernel(SIZE, frequencies)
        step = step_factor * math.sqrt(18 / (lmbda * mse_weight * math.log(2)))

        def residual_blocks():
            return [ResidualBlock(latent_channels, num_filters, dtype) for _ in range(blocks)]

        def pixel_block():
            return [PixelBlock(pixel_filters, dtype)] if pixel_filters else []

        # Layers see pixels over 255.
        lapped_analysis = LappedAnalysis(basis * 255 / step, dtype)
        analysis = [*pixel_block(), lapped_analysis, *residual_blocks(), Shrinkage(dtype=dtype)]
        parities = lapped_basis.parities(frequencies)
        lapped_synthesis = LappedSynthesis(basis * step / 255, parities, dtype)
        synthesis = [*residual_blocks(), lapped_synthesis, *pixel_block()]
        spreads = lapped_basis.spreads(frequencies) / step
        if phases > 1:
            first = slice_sizes(latent_channels, slices)[0]
            analysis.append(Phased(first, phases, dtype=dtype))
            synthesis.insert(0, Unphased(first, phases, dtype=dtype))
            latent_channels += first * (phases - 1)
            spreads = phased(tf.constant(spreads), first, phases).numpy()
        reach = 2 * (2 * CELL - 1) + 1  # Three cells, wherever in its cell a pixel lies.
        super().__init__(
            name="lapped",
            latent_channels=latent_channels,
            convolutions=[(reach, 1), (2 * SIZE, SIZE), *[(3, 1)] * blocks],
            analysis=analysis,
            synthesis=synthesis,
        )
        self.latent_spreads = spreads


class Shrinkage(keras.layers.Layer):
    """Latents less a threshold that they are moved towards zero, one learned for each channel.

    Rounding then has a dead zone: a number becomes 1 from ``threshold + 1/2`` on. Numbers that are
    mostly near zero cost fewer bits, which is worth more than the error that it adds.
    """

    def build(self, shape):
        """Creates the variables."""
        initial = keras.initializers.Constant(THRESHOLD)
        self.threshold = self.add_weight("threshold", [shape[-1]], initializer=initial)
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From and to ``[batch, rows, columns, channels]``."""
        threshold = tf.maximum(tf.cast(self.threshold, inputs.dtype), 0)
        return inputs - tf.clip_by_value(inputs, -threshold, threshold)


class Phased(keras.layers.Layer):
    """``phased`` as a layer."""

    def __init__(self, first: int, phases: int, dtype: str):
        """Takes the channels of the first slice and its phases."""
        super().__init__(dtype=dtype)
        self._phases = first, phases

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """To more channels."""
        return phased(inputs, *self._phases)


class Unphased(Phased):
    """``unphased`` as a layer."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """To fewer channels."""
        return unphased(inputs, *self._phases)


class PixelBlock(ResidualBlock):
    """A residual block over pixels, with cells of 4x4 of them as its positions.

    After the synthesis it filters what is left of the transform's blocks, as video codecs do.
    """

    def __init__(self, num_filters: int, dtype: str):
        """Takes the channels inside and the Keras policy."""
        super().__init__(3 * CELL**2, num_filters, dtype)

    def build(self, shape):
        """Creates the variables."""
        super().build([*shape[:-1], 3 * CELL**2])

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From and to ``[batch, height, width, 3]``, sizes multiples of 4."""
        cells = super().call(tf.nn.space_to_depth(inputs, CELL))
        return tf.nn.depth_to_space(cells, CELL)


class LappedAnalysis(LearnedKernel):
    """A convolution of kernel 2 N and stride N over an image that continues as its mirror image.

    Shifted by half a block, the windows are 2x2 blocks of pixels: with the pixels of a block as
    channels it is a dense 2x2 convolution.
    """

    def __init__(self, basis: np.ndarray, dtype: str):
        """Takes the frozen kernel ``[2 N, 2 N, channels, latents]`` and the Keras policy."""
        self.size = basis.shape[0] // 2
        blocks = basis.reshape(2, self.size, 2, self.size, -1, basis.shape[-1])
        blocks = blocks.transpose(0, 2, 1, 3, 4, 5).reshape(2, 2, -1, basis.shape[-1])
        super().__init__(self._oriented(blocks), dtype)

    def build(self, shape):
        """Creates the variables."""
        super().build(shape)
        self.bias = self.add_weight("bias", [self._outputs], initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, height, width, channels]`` to ``[batch, height/N, width/N, latents]``."""
        half = self.size // 2
        inputs = tf.pad(inputs, [[0, 0], [half, half], [half, half], [0, 0]], "SYMMETRIC")
        batch, height, width, channels = _shape(inputs)
        rows, columns = height // self.size, width // self.size
        blocks = tf.reshape(inputs, [batch, rows, self.size, columns, self.size * channels])
        blocks = tf.transpose(blocks, [0, 1, 3, 2, 4])
        blocks = tf.reshape(blocks, [batch, rows, columns, self.size**2 * channels])
        return self.convolve(blocks) + tf.cast(self.bias, blocks.dtype)

    @property
    def _outputs(self) -> int:
        return self.frozen.shape[-1]

    def _oriented(self, blocks: np.ndarray) -> np.ndarray:
        return blocks


class LappedSynthesis(LappedAnalysis):
    """The transpose of ``LappedAnalysis``; latents beyond the border are those of the mirror image.

    Mirroring changes the sign of a basis function that is antisymmetric along that axis.
    """

    def __init__(self, basis: np.ndarray, parities: np.ndarray, dtype: str):
        """Takes the analysis' frozen kernel, signs ``[2, latents]`` and the Keras policy."""
        super().__init__(basis, dtype)
        self._channels = basis.shape[2]
        self._parities = parities

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, rows, columns, latents]`` to ``[batch, rows*N, columns*N, channels]``."""
        down, across = tf.unstack(tf.cast(self._parities, inputs.dtype))
        inputs = tf.concat([inputs[:, :1] * down, inputs, inputs[:, -1:] * down], 1)
        first, last = inputs[:, :, :1] * across, inputs[:, :, -1:] * across
        blocks = self.convolve(tf.concat([first, inputs, last], 2))
        batch, rows, columns, _ = _shape(blocks)
        size, channels, half = self.size, self._channels, self.size // 2
        pixels = tf.reshape(blocks, [batch, rows, columns, size, size * channels])
        pixels = tf.transpose(pixels, [0, 1, 3, 2, 4])
        pixels = tf.reshape(pixels, [batch, rows * size, columns * size, channels])
        pixels = without_border(pixels, half, half)
        return pixels + tf.cast(self.bias, pixels.dtype)

    @property
    def _outputs(self) -> int:
        return self._channels

    def _oriented(self, blocks: np.ndarray) -> np.ndarray:
        # A transposed convolution scatters where a convolution gathers.
        return blocks[::-1, ::-1].transpose(0, 1, 3, 2)


def _shape(values: tf.Tensor) -> list:
    """Static sizes where they are known."""
    dynamic = tf.unstack(tf.shape(values))
    return [d if s is None else s for s, d in zip(values.shape, dynamic)]
