"""One file between analysis and synthesis: its bytes, its reconstruction and its bits."""

from __future__ import annotations

import math
from typing import Any, Callable, List, NamedTuple, Optional

import tensorflow as tf

from codec.blocks import join_payloads
from codec.latent_coder import CodedLatents, LatentCoder, Latents


class RateEstimate(NamedTuple):
    """Bits of one file under the trained density, without coding.

    Attributes:
        noise: with uniform noise on the latents; NaN where symbols are indices.
        training: at the rate input that the quantizer trained on, at the end of its schedules.
        rounded: of the symbols that are coded.
        fixed_length: with the same number of bits for every symbol; NaN for unbounded integers.
        side: of the side information, which is part of ``rounded``.
    """

    noise: float
    training: float
    rounded: float
    fixed_length: float
    side: float


class QuantizedFile:
    """What a codec's ``quantize`` returns: analysis and quantization ran once, when this was made.

    Long audio is quantized in blocks; an image is one block.
    """

    def __init__(
        self,
        coder: LatentCoder,
        latents: List[Latents],
        refined: Optional[List[Latents]],
        pack: Callable[[bytes], bytes],
        synthesize: Callable[[tf.Tensor], Any],
    ):
        """Quantizes.

        Args:
            coder: of the latents.
            latents: of the analysis, block by block: what training would have seen.
            refined: what to code in their place (see ``codec.refinement``); None: the same.
            pack: makes a file of a payload.
            synthesize: makes the medium's samples of y_hat.

        Raises:
            ValueError: the model's latents are not finite.
        """
        self._coder, self._pack, self._synthesize = coder, pack, synthesize
        self._coded = [coder.quantize(block) for block in refined or latents]
        self._refined_from = latents if refined else None

    def encode(self, fixed_length: bool = False) -> bytes:
        """The bytes of the .rtc file.

        Args:
            fixed_length: of finite alphabets, spend the same bits on every symbol.

        Raises:
            ValueError: an option that this model's quantizer does not have.
        """
        payloads = [self._coder.encode(block, fixed_length) for block in self._coded]
        return self._pack(join_payloads(payloads))

    def reconstruct(self, training: bool = False) -> Any:
        """x_hat without any bytes, in the form that files decode to.

        Args:
            training: False for what the file decodes to; True for what the decoder saw of the
                analysis' latents in training, at the end of the quantizer's schedules.
        """
        if training:
            values = [self._in_training(block).values[0] for block in self._analyzed]
        else:
            values = [block.values for block in self._coded]
        return self._synthesize(tf.concat(values, axis=1))

    def estimate_bits(self) -> RateEstimate:
        """Bits without coding; the noise is the same whenever it is drawn.

        Of refined latents, ``rounded`` and ``side`` are theirs; what training saw are the analysis'
        own, and so are the bits of noise and of training.
        """
        estimates = [
            self._estimate(analyzed, coded, number)
            for number, (analyzed, coded) in enumerate(zip(self._analyzed, self._coded))
        ]
        return RateEstimate(*(sum(bits) for bits in zip(*estimates)))

    @property
    def _analyzed(self) -> List[CodedLatents]:
        if self._refined_from is None:
            return self._coded
        return [self._coder.quantize(block) for block in self._refined_from]

    def _in_training(self, block: CodedLatents):
        y, z = (None if each is None else each[tf.newaxis] for each in block.latents)
        return self._coder.model.quantize(y, training=True, hyper_latents=z)

    def _estimate(self, analyzed: CodedLatents, coded: CodedLatents, number: int) -> RateEstimate:
        coder, model = self._coder, self._coder.model
        noise = fixed_length = math.nan
        if model.quantizer.alphabet.kind == "indices":
            fixed_length = model.entropy.fixed_length_bits(*coded.symbols.shape)
        else:
            u = tf.random.stateless_uniform(tf.shape(analyzed.centred), [number, 0], -0.5, 0.5)
            noise = coder.noise_bits(analyzed, u)
            if model.entropy.bounded:
                fixed_length = model.entropy.fixed_length_bits(tf.size(coded.symbols).numpy())
        return RateEstimate(
            noise=noise,
            training=float(self._in_training(analyzed).bits[0]),
            rounded=coder.symbol_bits(coded),
            fixed_length=fixed_length,
            side=coder.side_bits(coded),
        )
