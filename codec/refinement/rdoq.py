"""Rate-distortion optimised quantization: symbols move by one where that lowers bits + distortion.

The classical encoder-side search of video coding (Karczewicz, Ye, Chong 2008, VCEG-AH21) on the
latents of a learned codec. The rate of a moved symbol is exact, its distortion a second-order
approximation. Many symbols move at once; a batch of moves is kept only if the file's loss falls.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
import tensorflow as tf

from codec.latent_coder import Latents
from codec.refinement.objective import Objective, Progress, Refined, as_batch, check_own_grids

PROBES = 2
"""Random directions in which the curvature of the distortion is measured."""

FIRST_SHARE = 0.25
"""Share of the promising moves in the first batch: the best quarter."""

GROWTH, SHRINKAGE = 1.5, 0.25
"""What that share is multiplied by after a batch that is kept, and after one that is not."""


class Moves(NamedTuple):
    """The better move of each symbol, arrays of the latents' shape.

    Attributes:
        values: float32, the values after the move.
        gains: float, the expected decrease of the loss if it were the only move.
    """

    values: np.ndarray
    gains: np.ndarray


class RateDistortionOptimizedQuantization:
    """Refines the symbols of one image; side information stays that of the analysis.

    Example:
        >>> refine = RateDistortionOptimizedQuantization(objective=objective)
        >>> data = codec.encode(pixels, latents=refine(pixels).latents)
    """

    name = "rdoq"

    def __init__(self, *, objective: Objective, steps: int = 50, seed: int = 0):
        """Builds the gradient; it is traced once, for images of all sizes.

        Args:
            objective: what to lower.
            steps: the most batches of moves to try; at least 1.
            seed: of the directions in which curvature is measured; 0 to 2**31 - 1.

        Raises:
            ValueError: an argument is out of its range, or the model's quantizer does not round
                each latent by itself.
        """
        if not (isinstance(steps, int) and steps >= 1):
            raise ValueError(f"steps={steps} must be a whole number of at least 1.")
        if not 0 <= seed < 2**31:
            raise ValueError(f"seed={seed} must be 0 to {2**31 - 1}.")
        model = objective.model
        slices = len(model.slice_sizes)
        if slices > 1:
            raise ValueError(
                f"refinement={self.name} needs predictions that no other symbol changes, but this "
                f"model predicts {slices} slices from one another: use refinement=sga."
            )
        check_own_grids(self.name, model.quantizer, model.transforms.latent_channels)
        self._objective, self._steps, self._seed = objective, steps, seed
        self._coder = objective.coder
        values = tf.TensorSpec([1, None, None, model.transforms.latent_channels], tf.float32)
        self._gradient = tf.function(
            self._traced_gradient,
            input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32), values],
            autograph=False,
        )

    def __call__(self, pixels: np.ndarray, progress: Optional[Progress] = None) -> Refined:
        """Refines the symbols of uint8 ``[height, width, 3]``.

        Raises:
            ValueError: the image is too large, or too small for the distortion.
        """
        start = self._objective.start(pixels)
        # On the grid, where moves lead from point to point.
        best = start._replace(values=self._coder.quantize(start).values)
        loss = before = self._objective.loss(pixels, best)
        curvatures = self._curvatures(pixels, best)
        moves = self.moves(pixels, best, curvatures)
        share, step = FIRST_SHARE, 0
        while step < self._steps:
            promising = np.count_nonzero(moves.gains > 0)
            number = int(np.ceil(share * promising))
            if number == 0:
                break
            step += 1
            trial = best._replace(values=_moved(best.values, moves, number))
            trial_loss = self._objective.loss(pixels, trial)
            if trial_loss < loss:
                best, loss = trial, trial_loss
                share = min(GROWTH * share, 1.0)
                moves = self.moves(pixels, best, curvatures)
            elif number == 1:
                break
            else:
                # Too many neighbours moved together.
                share *= SHRINKAGE
            if progress is not None:
                progress(step, self._steps, loss)
        return Refined(best, step, before, loss)

    def moves(self, pixels: np.ndarray, latents: Latents, curvatures: np.ndarray) -> Moves:
        """The better of one step up and one step down for every symbol, with its expected gain.

        Args:
            pixels: the image.
            latents: on the grid.
            curvatures: float32 ``[channels]``, second derivatives of the distortion.
        """
        values = latents.values.numpy()
        gradient = self._gradient(as_batch(pixels), latents.values[tf.newaxis])[0].numpy()
        bits = self._coder.bits_of_each(self._coder.quantize(latents))
        per_pixel = 1 / (pixels.shape[0] * pixels.shape[1])
        options = []
        for direction in (-1, 1):
            step = direction * self._step_sizes(values)
            coded = self._coder.quantize(latents._replace(values=tf.constant(values + step)))
            there = coded.values.numpy()
            change = there - values
            rate = per_pixel * (self._coder.bits_of_each(coded) - bits)
            distortion = gradient * change + 0.5 * curvatures * change**2
            options.append(Moves(there, -(rate + distortion)))
        down, up = options
        better = up.gains > down.gains
        return Moves(*(np.where(better, *pair) for pair in zip(up, down)))

    def _step_sizes(self, values: np.ndarray) -> np.ndarray:
        model = self._objective.model
        zero, one = (model.quantizer.decode(tf.fill(values.shape, k)) for k in (0, 1))
        # A model for every rate quantizes latents multiplied by gains.
        return ((one - zero) / (1.0 if model.setting is None else model.setting.gains[0])).numpy()

    def _curvatures(self, pixels: np.ndarray, latents: Latents) -> np.ndarray:
        """Mean second derivative of ``lmbda * distortion`` in a latent of each channel.

        Hutchinson's estimate of a diagonal: the mean of u * (H u) over random signs u. Moves are
        whole quantization steps, and so are the differences here.
        """
        images, values = as_batch(pixels), latents.values[tf.newaxis]
        here, sizes = self._gradient(images, values), self._step_sizes(values)
        estimates = []
        for probe in range(PROBES):
            draws = tf.random.stateless_uniform(tf.shape(values), [self._seed, probe], alg="philox")
            signs = tf.sign(draws - 0.5)
            there = self._gradient(images, values + signs * sizes)
            estimates.append(tf.reduce_mean(signs * (there - here) / sizes, axis=[0, 1, 2]))
        return np.maximum(np.mean(estimates, axis=0), 0)

    def _traced_gradient(self, images: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss = self._objective.soft_distortion(images, values)
        return tape.gradient(loss, values)


def _moved(values: tf.Tensor, moves: Moves, number: int) -> tf.Tensor:
    """Values after the ``number`` most promising moves."""
    flat = moves.gains.ravel()
    chosen = np.argpartition(-flat, number - 1)[:number]
    moved = values.numpy().copy()
    moved.ravel()[chosen] = moves.values.ravel()[chosen]
    return tf.constant(moved)
