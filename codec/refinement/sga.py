"""Stochastic Gumbel annealing: one file's latents are optimized through random rounding.

Yang, Bamler, Mandt 2020, "Improving Inference for Neural Image Compression", arXiv 2006.04240. As
there, Adam optimizes latents and hyper-latents together, and the temperature holds and then falls
exponentially; here its constants are relative to the steps, so that fewer steps anneal as far.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple, Optional, Tuple

import numpy as np
import tensorflow as tf

from codec.latent_coder import Latents
from codec.refinement.objective import Objective, Progress, Refined, as_batch, check_own_grids
from quantizers import Gumbel, Quantized, Quantizer


@dataclasses.dataclass(frozen=True)
class Temperature:
    """``min(exp(-decay * (step / steps - hold)), highest)``.

    The paper's ``min(exp(-c (t - t0)), highest)`` with ``c = decay / steps`` and
    ``t0 = hold * steps``: its 2000 steps, c = 0.001 and t0 = 700 are a decay of 2, a hold of 0.35.
    """

    steps: int
    decay: float
    hold: float
    highest: float

    def __call__(self, step: int) -> float:
        """The temperature of ``step`` (from 0)."""
        exponent = -self.decay * (step / self.steps - self.hold)
        # Not the smaller of two powers: the other may be too large for a float.
        return math.exp(exponent) if exponent < math.log(self.highest) else self.highest

    @property
    def bounds(self) -> Tuple[float, float]:
        """The smallest and the largest temperature."""
        return self(self.steps), self(0)


class StochasticGumbelAnnealing:
    """Refines latents and hyper-latents of one image.

    Example:
        >>> refine = StochasticGumbelAnnealing(objective=objective, steps=500)
        >>> data = codec.encode(pixels, latents=refine(pixels).latents)
    """

    name = "sga"

    def __init__(
        self,
        *,
        objective: Objective,
        steps: int = 500,
        learning_rate: float = 0.05,
        decay: float = 2.0,
        hold: float = 0.35,
        highest_tau: float = 0.5,
        seed: int = 0,
    ):
        """Builds the step, which is traced once for images of all sizes.

        Args:
            objective: what to lower.
            steps: of Adam, at least 1.
            learning_rate: learning rate of Adam, in units of latents, positive.
            decay: see ``Temperature``; at least 0, and small enough that the last temperature is at
                least 0.01: up to 7 with a hold of 0.35.
            hold: see ``Temperature``; 0 to 1.
            highest_tau: see ``Temperature``; 0.01 or more.
            seed: seed of the choices; 0 to 2**31 - 2. The file depends on nothing else but image,
                model and settings.

        Raises:
            ValueError: an argument is out of its range, or the model's quantizers do not round each
                latent by itself.
        """
        if not (isinstance(steps, int) and steps >= 1):
            raise ValueError(f"steps={steps} must be a whole number of at least 1.")
        if not 0 < learning_rate < math.inf:
            raise ValueError(f"learning_rate={learning_rate} must be positive.")
        if not 0 <= decay < math.inf:
            raise ValueError(f"decay={decay} must be at least 0.")
        if not 0 <= hold <= 1:
            raise ValueError(f"hold={hold} must be 0 to 1.")
        if not 0.01 <= highest_tau < math.inf:
            raise ValueError(f"highest_tau={highest_tau} must be at least 0.01.")
        if not 0 <= seed <= 2**31 - 2:
            raise ValueError(f"seed={seed} must be 0 to {2**31 - 2}.")
        self._objective, self._steps = objective, steps
        self._learning_rate = learning_rate
        tau = Temperature(steps, decay, hold, highest_tau)
        model = objective.model
        quantized = [(model.quantizer, model.slice_sizes)]
        if model.hyper is not None:
            quantized.append((model.hyper_quantizer, (model.hyper.latent_channels,)))
        for quantizer, sizes in quantized:
            for channels in sizes:
                check_own_grids(self.name, quantizer.for_slice(0), channels)
        # Different seeds: latents and hyper-latents must not make the same choices.
        self._choices = [Gumbel(seed=seed + k, tau=tau) for k in range(len(quantized))]
        self._relaxed = model.with_quantizers(
            *(_Relaxed(q, choice) for (q, _), choice in zip(quantized, self._choices))
        )
        specs = [tf.TensorSpec([1, None, None, sum(sizes)], tf.float32) for _, sizes in quantized]
        self._step = tf.function(
            self._traced_step,
            input_signature=[
                tf.TensorSpec([1, None, None, 3], tf.float32),
                _Adam(*(tuple(specs) for _ in _Adam._fields)),
                tf.TensorSpec([], tf.float32),
            ],
            autograph=False,
        )

    def __call__(self, pixels: np.ndarray, progress: Optional[Progress] = None) -> Refined:
        """Refines the latents of uint8 ``[height, width, 3]``.

        Raises:
            ValueError: the image is too large, or too small for the distortion.
        """
        start = self._objective.start(pixels)
        before = self._objective.loss(pixels, start)
        images = as_batch(pixels)
        given = tuple(each[tf.newaxis] for each in start if each is not None)
        zeros = tuple(map(tf.zeros_like, given))
        state = _Adam(given, zeros, zeros)
        for choice in self._choices:
            choice.restart()
        for step in range(self._steps):
            for choice in self._choices:
                choice.annealed["tau"].advance(step)
            state, loss = self._step(images, state, tf.constant(step + 1, tf.float32))
            if progress is not None:
                progress(step + 1, self._steps, float(loss))
        refined = Latents(*(each[0] for each in state.values))
        finite = all(tf.reduce_all(tf.math.is_finite(each)) for each in state.values)
        after = self._objective.loss(pixels, refined) if finite else math.inf
        if not after < before:  # Also true if the loss is not finite.
            refined, after = start, before
        return Refined(refined, self._steps, before, after)

    def _traced_step(self, images: tf.Tensor, state: _Adam, number: tf.Tensor):
        pixels = tf.cast(tf.shape(images)[1] * tf.shape(images)[2], tf.float32)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(state.values)
            latents, *hyper = state.values
            quantized = self._relaxed.quantize(latents, True, *hyper)
            loss = quantized.bits[0] / pixels
            loss += self._objective.soft_distortion(images, quantized.values)
        gradients = tape.gradient(loss, state.values)
        return _adam(state, gradients, self._learning_rate, number), loss


class _Relaxed(Quantizer):
    """A relaxed choice between the two points of a quantizer's grid around each latent."""

    def __init__(self, quantizer: Quantizer, choice: Gumbel):
        super().__init__(name="relaxed")
        self._exact, self._choice = quantizer, choice

    def for_slice(self, number: int) -> Quantizer:
        return _Relaxed(self._exact.for_slice(number), self._choice)

    def __call__(self, latents: tf.Tensor, training: bool) -> Quantized:
        if not training:
            return self._exact(latents, training=False)
        zero, one = (self._exact.decode(tf.fill(tf.shape(latents), k)) for k in (0, 1))
        places = (latents - zero) / (one - zero)
        down = tf.floor(places)
        # From the quantizer: where the grid ends, both neighbours are its last point.
        low, high = (
            self._exact(tf.stop_gradient(zero + (one - zero) * place), training=False)
            for place in (down, down + 1)
        )
        share = self._choice(places) - down
        return Quantized(
            rate_input=low.rate_input + share * (high.rate_input - low.rate_input),
            decoder_input=low.decoder_input + share * (high.decoder_input - low.decoder_input),
            penalty=tf.zeros([]),
        )


class _Adam(NamedTuple):
    """State of Adam; each a tuple of tensors.

    A library's optimizer is bound to variables of one shape, so the step would be traced again for
    every image.
    """

    values: Tuple[tf.Tensor, ...]
    means: Tuple[tf.Tensor, ...]
    squares: Tuple[tf.Tensor, ...]


def _adam(state: _Adam, gradients, learning_rate: float, number: tf.Tensor) -> _Adam:
    """One step of Kingma & Ba 2015, arXiv 1412.6980, with its constants; ``number`` from 1."""
    means = tuple(0.9 * m + 0.1 * g for m, g in zip(state.means, gradients))
    squares = tuple(0.999 * s + 0.001 * g * g for s, g in zip(state.squares, gradients))
    size = learning_rate * tf.sqrt(1 - 0.999**number) / (1 - 0.9**number)
    values = tuple(
        v - size * m / (tf.sqrt(s) + 1e-12) for v, m, s in zip(state.values, means, squares)
    )
    return _Adam(values, means, squares)
