"""Transforms for audio: strided convolutions in time with residual units between them.

The architecture is SEANet's as in SoundStream (Zeghidour 2021, arXiv 2107.03312) and EnCodec:
channels double where the rate falls, residual units with growing dilation at every rate, a mirrored
synthesis. Unlike there, the units follow the strided convolution, so that nothing runs at the full
rate; there is no LSTM, so that the receptive field is bounded; strided and transposed convolutions
have three taps per stride.
"""

from __future__ import annotations

import math
from typing import List, Optional, Sequence

import tensorflow as tf

from models.audio_layers import (
    ACTIVATIONS,
    Convolution1D,
    Fold,
    ResidualUnit,
    Unfold,
    activate,
    reach,
)
from models.transforms import Transforms, policy
from processor.stack import keras

SCALE = 4.0
"""From -1..1 to what the layers see: speech at -23 dBFS then has an RMS of 0.28."""


class AudioTransforms(Transforms):
    """Audio ``[batch, rows, samples, 1]`` in -1..1 to latents and back, each row by itself.

    With strides 4, 4, 4 and N filters, one second at 8 kHz ``[b, 1, 8000, 1]`` becomes
    ``[b, 1, 2000, N]``, ``[b, 1, 500, 2 N]``, ``[b, 1, 125, 4 N]`` and latents ``[b, 1, 125, M]``.

    Attributes:
        sample_rate: of the audio, in Hz.
    """

    medium = "audio"
    input_channels = 1
    tile = (1, 4096)

    def __init__(
        self,
        *,
        sample_rate: Optional[int],
        num_filters: int = 32,
        latent_channels: int = 64,
        strides: Sequence[int] = (4, 4, 4),
        kernel_size: int = 3,
        outer_kernel_size: int = 7,
        dilations: Sequence[int] = (1, 3),
        activation: str = "elu",
        causal: bool = False,
        precision: str = "float32",
    ):
        """Creates the layers and their variables.

        Args:
            sample_rate: of the audio, in Hz.
            num_filters: channels after the first stride (N), at least 1; they double at each.
            latent_channels: channels of the latents (M), at least 1.
            strides: strides of the analysis, from samples to latents; their product is the number
                of samples per latent.
            kernel_size: taps of all convolutions but the outermost, odd.
            outer_kernel_size: taps of the first and the last convolution, odd; each tap spans the
                first stride's samples.
            dilations: dilations of the residual units at each rate; none: no units.
            activation: "elu", "snake", or "gdn": GDN where the rate changes and ELU in the units,
                because inverse GDN, whose output grows with the square of its input, explodes in
                deep stacks.
            causal: whether outputs depend on no input later than their latent's own samples.
            precision: compute type of the layers, "float32" or "bfloat16".

        Raises:
            ValueError: an argument is out of its range.
        """
        check_rate(sample_rate, "audio")
        numbers = {"num_filters": num_filters, "latent_channels": latent_channels}
        numbers.update({f"strides[{i}]": stride for i, stride in enumerate(strides)})
        numbers.update({f"dilations[{i}]": dilation for i, dilation in enumerate(dilations)})
        for name, number in numbers.items():
            if number < 1:
                raise ValueError(f"{name}={number} must be at least 1.")
        if not strides:
            raise ValueError("strides=[] must have at least one.")
        for name, size in (("kernel_size", kernel_size), ("outer_kernel_size", outer_kernel_size)):
            if size < 1 or size % 2 == 0:
                raise ValueError(f"{name}={size} must be an odd number, at least 1.")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation={activation!r} must be one of {', '.join(ACTIVATIONS)}.")
        self.sample_rate = sample_rate
        dtype = policy(precision)
        widths = [num_filters * 2**number for number in range(len(strides))]

        def convolution(filters, taps=kernel_size, **more):
            return Convolution1D(filters, taps, causal=causal, dtype=dtype, **more)

        def at_one_rate(channels, *, inverse) -> List[keras.layers.Layer]:
            units = [
                ResidualUnit(
                    channels,
                    kernel_size,
                    dilation=dilation,
                    causal=causal,
                    activation="snake" if activation == "snake" else "elu",
                    dtype=dtype,
                )
                for dilation in dilations
            ]
            return [*units, activate(activation, inverse=inverse, dtype=dtype)]

        analysis: List[keras.layers.Layer] = []
        synthesis: List[keras.layers.Layer] = []
        taps, finer = outer_kernel_size, 1
        for stride, width in zip(strides, widths):
            analysis += [
                Fold(stride, dtype=dtype),
                convolution(width, taps),
                *at_one_rate(width, inverse=False),
            ]
            synthesis = [
                *at_one_rate(width, inverse=True),
                convolution(stride * finer, taps),
                Unfold(stride, dtype=dtype),
                *synthesis,
            ]
            taps, finer = kernel_size, width
        analysis.append(convolution(latent_channels, use_bias=False))
        synthesis.insert(0, convolution(widths[-1]))
        stride = math.prod(strides)
        furthest = max(*reach(analysis), *reach(synthesis[::-1]))
        super().__init__(
            name="audio",
            latent_channels=latent_channels,
            strides=(1, stride),
            contexts=(0, -(-furthest // stride)),
            analysis=analysis,
            synthesis=synthesis,
        )

    def _normalize(self, signals: tf.Tensor) -> tf.Tensor:
        return signals * SCALE

    def _denormalize(self, values: tf.Tensor) -> tf.Tensor:
        return values / SCALE

    def _describe_latents(self) -> str:
        rate = self.sample_rate / self.strides[1]
        return (
            f"{self.sample_rate} Hz, total stride {self.strides[1]} samples, "
            f"{rate:g} x {self.latent_channels} latents/s"
        )


def check_rate(sample_rate: Optional[int], model: str) -> None:
    """Checks the sample rate that a model takes from the data.

    Raises:
        ValueError: there is none, or it is out of its range.
    """
    if sample_rate is None:
        raise ValueError(
            f"sample_rate=None must be a number of Hz: model={model} takes that of the data, which "
            "must be audio, such as data=tones."
        )
    if not 0 < sample_rate < 2**20:
        raise ValueError(f"sample_rate={sample_rate} must be 1 to {2**20 - 1} Hz.")
