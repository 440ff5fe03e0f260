"""The autoencoder: transforms, quantizer and entropy model joined.

As in the papers' figures: y = analysis(x), z = hyper-analysis(y); z_hat predicts means and scales
of y, slice by slice; y_hat is what the quantizer makes of y, and x_hat = synthesis(y_hat).
"""

from __future__ import annotations

import copy
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import tensorflow as tf

from models.hyperprior import SideInformation
from models.layers import with_edges_to_multiples
from models.prediction import Predictor
from models.tiling import apply_in_tiles
from models.transforms import Transforms
from models.variable_rate import RateSetting, VariableRate
from quantizers.base.annealing import Annealed
from quantizers.base.slices import SlicedQuantizer


class QuantizerInputs(NamedTuple):
    """What the quantizers were given.

    Attributes:
        latents: y less its predicted means, float32, a tensor per slice of the channels.
        hyper_latents: z, float32; None without side information.
    """

    latents: List[tf.Tensor]
    hyper_latents: Optional[tf.Tensor]


class QuantizedLatents(NamedTuple):
    """Latents on their way to the synthesis.

    Attributes:
        values: y_hat, float32, the latents' shape.
        bits: float32 ``[batch]``, of latents and side information.
        penalty: float32 scalar that the quantizers add to the loss.
        inputs: see ``QuantizerInputs``.
    """

    values: tf.Tensor
    bits: tf.Tensor
    penalty: tf.Tensor
    inputs: QuantizerInputs


class Forward(NamedTuple):
    """Result of one forward pass over signals ``[batch, height, width, input channels]``.

    Attributes:
        reconstructions: x_hat, float32, the signals' shape and scale, not clipped.
        bits: see ``QuantizedLatents``.
        penalty: see ``QuantizedLatents``.
        inputs: see ``QuantizerInputs``.
    """

    reconstructions: tf.Tensor
    bits: tf.Tensor
    penalty: tf.Tensor
    inputs: QuantizerInputs


class Autoencoder(tf.Module):
    """Analysis, quantizer, entropy model, synthesis; with or without side information.

    Attributes:
        transforms: the analysis and synthesis pair.
        quantizer: of y; ``quantizer.for_slice(number)`` quantizes one slice of its channels.
        entropy: the entropy model of y.
        slice_sizes: channels of the groups of y that are coded in turn; one unless ``hyper`` has
            more.
        hyper: hyper-analysis and hyper-synthesis; None without side information.
        hyper_quantizer: of z, or None.
        hyper_entropy: the entropy model of z, or None.
        rate: the gains of a model for every rate; None for a model of one rate.
    """

    def __init__(
        self,
        *,
        transforms: Transforms,
        quantizer,
        entropy: Callable,
        hyper: Optional[SideInformation] = None,
        hyper_quantizer=None,
        hyper_entropy: Optional[Callable] = None,
        rate: Optional[VariableRate] = None,
    ):
        """Joins the parts.

        Args:
            transforms: built analysis and synthesis.
            quantizer: of the latents, see ``quantizers``.
            entropy: called with ``channels=``, ``alphabet=`` and ``conditional=`` to make the
                entropy model.
            hyper: see the class.
            hyper_quantizer: a second object, not ``quantizer``.
            hyper_entropy: makes the entropy model of the hyper-latents, as ``entropy``.
            rate: see the class.

        Raises:
            ValueError: the entropy model codes another alphabet than the quantizer yields, or the
                quantizer cannot group so many channels.
        """
        super().__init__(name="autoencoder")
        self.transforms = transforms
        channels = transforms.latent_channels
        self.slice_sizes = (channels,) if hyper is None else hyper.slice_sizes
        if sum(self.slice_sizes) != channels:
            raise ValueError(
                f"the transforms have {channels} latent channels, the side information predicts "
                f"{sum(self.slice_sizes)}: latent_channels, slices and phases must agree."
            )
        if len(self.slice_sizes) > 1:
            quantizer = SlicedQuantizer(quantizer, self.slice_sizes)
        self.quantizer = quantizer
        quantizer.build(channels)
        self.entropy = entropy(
            channels=channels, alphabet=quantizer.alphabet, conditional=hyper is not None
        )
        self.hyper = hyper
        self.hyper_quantizer = self.hyper_entropy = None
        if transforms.latent_spreads is not None:
            (self.entropy if hyper is None else hyper).expect(transforms.latent_spreads)
        if hyper is not None:
            self.hyper_quantizer = hyper_quantizer
            hyper_quantizer.build(hyper.latent_channels)
            self.hyper_entropy = hyper_entropy(
                channels=hyper.latent_channels,
                alphabet=hyper_quantizer.alphabet,
                conditional=False,
            )
        self.rate = rate
        self._setting: Optional[RateSetting] = None
        if rate is not None:
            if quantizer.alphabet.kind != "integers":
                raise ValueError(
                    "rate=variable needs a quantizer of integers. The files of a codebook's run "
                    "have several rates by their --stages."
                )
            rate.build(channels, 0 if hyper is None else hyper.context_channels)

    def __call__(self, images: tf.Tensor, training: bool) -> Forward:
        """One pass over images float32 ``[batch, height, width, 3]`` in 0..255, or over audio.

        Audio is float32 ``[batch, channels, samples, 1]`` in -1..1. Height and width must be
        multiples of the transforms' strides.
        """
        y = self.transforms.analysis(images)
        y_hat, bits, penalty, inputs = self.quantize(y, training)
        x_hat = self.transforms.synthesis(y_hat)
        return Forward(x_hat, bits, penalty, inputs)

    def quantize(
        self, latents: tf.Tensor, training: bool, hyper_latents: Optional[tf.Tensor] = None
    ) -> QuantizedLatents:
        """Everything between analysis and synthesis.

        Args:
            latents: y, float32 ``[batch, rows, columns, channels]``.
            training: True for surrogates and predictions with gradients; False for the y_hat that
                files decode to.
            hyper_latents: z; None: the hyper-analysis of y.
        """
        side = hyper_values = None
        if self.hyper is not None:
            if hyper_latents is None:
                hyper_latents = self.hyper.analysis(latents)
            side = self.hyper_quantizer(hyper_latents, training=training)
            hyper_values = side.decoder_input
        rows, columns = tf.shape(latents)[1], tf.shape(latents)[2]
        predictor = self.predictor(hyper_values, rows, columns, exact=not training)
        indexes, centred, quantized, rate_inputs = [], [], [], []
        for number, y in enumerate(tf.split(latents, self.slice_sizes, axis=-1)):
            prediction = predictor.next()
            indexes.append(prediction.indexes)
            centred.append(prediction.centre(y))
            seen = self.quantizer.for_slice(number)(centred[-1], training=training)
            if training and self.quantizer.in_hard_phase:
                # Rounding undoes what means and gains do before it, and so must its gradient.
                seen = seen.straight_through(centred[-1])
            quantized.append(seen)
            rate_inputs.append(prediction.only_present(quantized[-1].rate_input))
            predictor.add(quantized[-1].decoder_input)
        rate_input = tf.concat(rate_inputs, -1)
        penalty = tf.add_n([each.penalty for each in quantized])
        if side is None:
            bits = self.entropy_at_rate.bits(rate_input)
        else:
            bits = self.entropy_at_rate.bits(rate_input, tf.concat(indexes, -1))
            bits += self.hyper_entropy.bits(side.rate_input)
            penalty += side.penalty
        inputs = QuantizerInputs(centred, hyper_latents)
        return QuantizedLatents(predictor.decoded, bits, penalty, inputs)

    def predictor(
        self, hyper_values: Optional[tf.Tensor], rows: int, columns: int, exact: bool
    ) -> Predictor:
        """See ``SideInformation.predictor``; without side information nothing is predicted."""
        if self.hyper is None:
            predictor = Predictor(exact=exact)
        else:
            predictor = self.hyper.predictor(hyper_values, rows, columns, exact)
        if self.setting is not None:
            predictor.at_rate(self.setting.split(self.slice_sizes))
        return predictor

    def update(self, inputs: QuantizerInputs) -> None:
        """Lets the quantizers learn from a training batch what gradients do not teach."""
        if self.hyper is not None:
            self.hyper_quantizer.update(inputs.hyper_latents)
        for number, latents in enumerate(inputs.latents):
            self.quantizer.for_slice(number).update(latents)

    @property
    def setting(self) -> Optional[RateSetting]:
        """Of a model for every rate: the rate that it is set to, at first the run's own."""
        if self._setting is None and self.rate is not None:
            return self.rate.at(self.rate.default_quality)
        return self._setting

    def at_rate(self, setting: RateSetting) -> Autoencoder:
        """The same model, set to another rate."""
        other = copy.copy(self)
        vars(other).update(_setting=setting)
        return other

    @property
    def entropy_at_rate(self):
        """The entropy model of y at the present setting."""
        if self.setting is None or self.hyper is not None:
            return self.entropy  # Scale indexes have the gains already.
        quality = self.setting.quality
        level = 0 if quality is None else self.rate.nearest_level(quality)
        return self.entropy.at_gains(self.setting.gains, level)

    def with_quantizers(self, quantizer, hyper_quantizer=None) -> Autoencoder:
        """The same transforms and entropy models around other quantizers, for passes only."""
        other = copy.copy(self)
        # An assignment would change what tf.Module tracks, which the copy shares with this model.
        vars(other).update(quantizer=quantizer, hyper_quantizer=hyper_quantizer)
        return other

    def advance(self, step: int) -> None:
        """Brings all that depends on the training step to ``step`` (from 0)."""
        for quantizer in self._quantizers:
            quantizer.advance(step)

    @property
    def hard_phases(self) -> Tuple[bool, ...]:
        """Of each quantizer, the latents' first: whether it rounds and its analysis is frozen."""
        return tuple(quantizer.in_hard_phase for quantizer in self._quantizers)

    @property
    def annealed(self) -> Dict[str, Annealed]:
        """Everything that follows a schedule, by its name in logs."""
        own = {} if self.hyper_quantizer is None else self.hyper_quantizer.annealed
        return {**{f"hyper_{name}": item for name, item in own.items()}, **self.quantizer.annealed}

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
        """Builds the coding tables from the trained densities."""
        if self.rate is not None and self.hyper is None:
            self.entropy.freeze([setting.gains for setting in self.rate.levels])
            return
        for entropy in self._entropy_models:
            entropy.freeze()

    def latent_grid(self, height: int, width: int) -> Tuple[int, int]:
        """Rows and columns of the latents of one image."""
        down, across = self.transforms.strides
        return -(-height // down), -(-width // across)

    def analyze(self, pixels) -> tf.Tensor:
        """Latents float32 ``[rows, columns, channels]`` of one image ``[height, width, 3]``.

        Or of audio ``[audio channels, samples, 1]``. The last row and column are repeated up to a
        multiple of the strides; the image may have any size.
        """
        image = tf.cast(pixels, tf.float32)[tf.newaxis]
        padded = with_edges_to_multiples(image, self.transforms.strides)
        return apply_in_tiles(self.transforms, "analysis", padded)[0]

    def synthesize(self, values: tf.Tensor, height: int, width: int) -> tf.Tensor:
        """Image float32 ``[height, width, input channels]`` of y_hat, shaped as in ``analyze``."""
        images = apply_in_tiles(self.transforms, "synthesis", values[tf.newaxis])
        return images[0, :height, :width]

    @property
    def _quantizers(self):
        return filter(None, (self.quantizer, self.hyper_quantizer))

    @property
    def _entropy_models(self):
        return filter(None, (self.entropy, self.hyper_entropy))
