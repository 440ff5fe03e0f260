"""The autoencoder: transforms, quantizer and entropy model joined.

One forward pass serves training and testing. Coding goes through ``analyze`` and ``synthesize``,
which take a single image of any size, or audio of any length with its channels as rows.
"""

from __future__ import annotations

import copy
from typing import Callable, NamedTuple, Optional, Tuple

import tensorflow as tf

from models.hyperprior import NOTHING, Code, HyperTransforms, centred
from models.tiling import apply_in_tiles
from models.transforms import Transforms
from quantizers.base.slices import SlicedQuantizer


class Forward(NamedTuple):
    """Result of one forward pass over signals ``[batch, height, width, input channels]``.

    Attributes:
        reconstructions: float32, the signals' shape and scale, not clipped.
        bits: float32 ``[batch]``, of the quantizer's rate value and of the side information.
        penalty: float32 scalar that the quantizers add to the loss.
        latents: float32 ``[batch, height / stride, width / stride, channels]``, not quantized.
    """

    reconstructions: tf.Tensor
    bits: tf.Tensor
    penalty: tf.Tensor
    latents: tf.Tensor


class QuantizedLatents(NamedTuple):
    """Latents on their way to the synthesis.

    Attributes:
        values: float32, the latents' shape: what the synthesis sees.
        bits: float32 ``[batch]``.
        penalty: float32 scalar.
    """

    values: tf.Tensor
    bits: tf.Tensor
    penalty: tf.Tensor


class Autoencoder(tf.Module):
    """Analysis, quantizer, entropy model, synthesis; with or without side information.

    Attributes:
        transforms: the analysis and synthesis pair.
        quantizer: between them; ``quantizer.for_slice(number)`` quantizes one slice of the latents.
        entropy: the entropy model of the latents.
        slices: groups of the latents' channels that are coded in turn; 1 unless ``hyper`` has more.
        hyper: transforms of the side information, or None.
        hyper_quantizer: the side information's quantizer, or None.
        hyper_entropy: the side information's entropy model, or None.
    """

    def __init__(
        self,
        *,
        transforms: Transforms,
        quantizer,
        entropy: Callable,
        hyper: Optional[HyperTransforms] = None,
        hyper_quantizer=None,
        hyper_entropy: Optional[Callable] = None,
    ):
        """Joins the parts.

        Args:
            transforms: built analysis and synthesis.
            quantizer: a quantizer, see ``quantizers``.
            entropy: called with ``channels=``, ``alphabet=`` and ``conditional=`` to make the
                entropy model.
            hyper: predicts means and scales of the latents from hyper-latents; None: no side
                information.
            hyper_quantizer: of the hyper-latents; another object than ``quantizer``.
            hyper_entropy: makes the entropy model of the hyper-latents, as ``entropy``.

        Raises:
            ValueError: the entropy model codes another alphabet than the quantizer yields, or the
                quantizer cannot group so many channels.
        """
        super().__init__(name="autoencoder")
        self.transforms = transforms
        self.slices = 1 if hyper is None else hyper.slices
        if self.slices > 1:
            quantizer = SlicedQuantizer(quantizer, self.slices)
        self.quantizer = quantizer
        channels = transforms.latent_channels
        quantizer.build(channels)
        self.entropy = entropy(
            channels=channels, alphabet=quantizer.alphabet, conditional=hyper is not None
        )
        self.hyper = hyper
        self.hyper_quantizer = self.hyper_entropy = None
        if hyper is not None:
            self.hyper_quantizer = hyper_quantizer
            hyper_quantizer.build(hyper.latent_channels)
            self.hyper_entropy = hyper_entropy(
                channels=hyper.latent_channels,
                alphabet=hyper_quantizer.alphabet,
                conditional=False,
            )

    def __call__(self, images: tf.Tensor, training: bool) -> Forward:
        """One pass over images float32 ``[batch, height, width, 3]`` in 0..255, or over sound.

        Sound is float32 ``[batch, 1, samples, 1]`` in -1..1. Height and width must be multiples of
        the transforms' strides.
        """
        latents = self.transforms.analysis(images)
        quantized = self.quantize(latents, training)
        return Forward(
            reconstructions=self.transforms.synthesis(quantized.values),
            bits=quantized.bits,
            penalty=quantized.penalty,
            latents=latents,
        )

    def quantize(
        self, latents: tf.Tensor, training: bool, hyper_latents: Optional[tf.Tensor] = None
    ) -> QuantizedLatents:
        """What lies between analysis and synthesis: float32 ``[batch, rows, columns, channels]``.

        With ``training=False`` the values are those that a file decodes to. Side information is of
        ``hyper_latents``, not quantized; None: what the hyper-analysis makes of the latents.
        """
        side = None
        if self.hyper is not None:
            if hyper_latents is None:
                hyper_latents = self.hyper.analysis(latents)
            side = self.hyper_quantizer(hyper_latents, training=training)
        parts = tf.split(latents, self.slices, axis=-1)
        rates, conditions, penalties = [], [], []

        def code(number, prediction):
            quantizer = self.quantizer.for_slice(number)
            quantized = quantizer(centred(parts[number], prediction), training=training)
            rates.append(quantized.rate_input)
            conditions.append(prediction.indexes)
            penalties.append(quantized.penalty)
            return quantized.decoder_input

        rows, columns = tf.shape(latents)[1], tf.shape(latents)[2]
        hyper_values = None if side is None else side.decoder_input
        values = self.reconstruct(hyper_values, rows, columns, code, exact=not training)
        if side is None:
            return QuantizedLatents(values, self.entropy.bits(rates[0]), penalties[0])
        bits = self.entropy.bits(tf.concat(rates, -1), tf.concat(conditions, -1))
        return QuantizedLatents(
            values=values,
            bits=bits + self.hyper_entropy.bits(side.rate_input),
            penalty=tf.add_n(penalties) + side.penalty,
        )

    def reconstruct(
        self,
        hyper_values: Optional[tf.Tensor],
        rows: int,
        columns: int,
        code: Code,
        exact: bool,
    ) -> tf.Tensor:
        """Latents' values: what ``code`` makes of each slice, given what is known before it.

        Args:
            hyper_values: decoded side information, or None where there is none.
            rows: of the latents.
            columns: of the latents.
            code: see ``HyperTransforms.reconstruct``, which this is for all models.
            exact: whether a decoder on another machine must find the same predictions.
        """
        if self.hyper is None:
            return code(0, NOTHING)
        return self.hyper.reconstruct(hyper_values, rows, columns, code, exact)

    def with_quantizers(self, quantizer, hyper_quantizer=None) -> Autoencoder:
        """The same transforms and entropy models around other quantizers: for passes alone.

        Nothing is built and nothing of the model changes.
        """
        other = copy.copy(self)
        # Not by assignment: the copy shares what tf.Module has noted of its parts.
        vars(other).update(quantizer=quantizer, hyper_quantizer=hyper_quantizer)
        return other

    def update(self, latents: tf.Tensor) -> None:
        """Lets the quantizers learn from a training batch's latents what gradients do not teach."""
        hyper_values = None
        if self.hyper is not None:
            hyper_latents = self.hyper.analysis(latents)
            hyper_values = self.hyper_quantizer(hyper_latents, training=False).decoder_input
            self.hyper_quantizer.update(hyper_latents)
        parts = tf.split(latents, self.slices, axis=-1)

        def code(number, prediction):
            quantizer, values = self.quantizer.for_slice(number), centred(parts[number], prediction)
            quantizer.update(values)
            return quantizer(values, training=False).decoder_input

        rows, columns = tf.shape(latents)[1], tf.shape(latents)[2]
        self.reconstruct(hyper_values, rows, columns, code, exact=False)

    def advance(self, step: int) -> None:
        """Sets what the quantizers anneal to its value for ``step``."""
        for quantizer in filter(None, (self.quantizer, self.hyper_quantizer)):
            quantizer.advance(step)

    @property
    def annealed(self):
        """What follows a schedule, by name; the side information's where it differs."""
        side = {} if self.hyper_quantizer is None else self.hyper_quantizer.annealed
        return {**{f"hyper_{name}": item for name, item in side.items()}, **self.quantizer.annealed}

    @property
    def encoding_variables(self):
        """Trainable variables that decoding does not need."""
        hyper = () if self.hyper is None else self.hyper.analysis_variables
        return (*self.transforms.analysis_variables, *hyper)

    @property
    def frozen(self) -> bool:
        """Whether all coding tables exist."""
        return all(entropy.frozen for entropy in self._entropy_models)

    def freeze(self) -> None:
        """Builds the coding tables from what has been learned."""
        for entropy in self._entropy_models:
            entropy.freeze()

    def latent_grid(self, height: int, width: int) -> Tuple[int, int]:
        """Rows and columns of the latents of one image."""
        down, across = self.transforms.strides
        return -(-height // down), -(-width // across)

    def analyze(self, pixels) -> tf.Tensor:
        """Latents float32 ``[rows, columns, channels]`` of one image ``[height, width, 3]``.

        Or of sound ``[audio channels, samples, 1]``. The last row and column are repeated up to a
        multiple of the strides; a large image goes through in tiles.
        """
        image = tf.cast(pixels, tf.float32)
        rows, columns = self.latent_grid(*image.shape[:2])
        strides = self.transforms.strides
        down = tf.minimum(tf.range(rows * strides[0]), image.shape[0] - 1)
        across = tf.minimum(tf.range(columns * strides[1]), image.shape[1] - 1)
        padded = tf.gather(tf.gather(image, down, axis=0), across, axis=1)
        return apply_in_tiles(self.transforms, "analysis", padded[tf.newaxis])[0]

    def synthesize(self, values: tf.Tensor, height: int, width: int) -> tf.Tensor:
        """Image float32 ``[height, width, input channels]`` of ``[rows, columns, channels]``."""
        images = apply_in_tiles(self.transforms, "synthesis", values[tf.newaxis])
        return images[0, :height, :width]

    @property
    def _entropy_models(self):
        return filter(None, (self.entropy, self.hyper_entropy))
