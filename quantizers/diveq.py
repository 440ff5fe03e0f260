"""DiVeQ: vector quantization as an error added in the direction of the nearest code.

Vali et al. 2025, "DiVeQ: Differentiable vector quantization using the reparameterization trick",
arXiv 2509.26469. The formula is that of the abstract pages and of the authors' package; we have
not read the full paper. Its space-filling variant, whose values lie between codes, is missing here.
"""

from __future__ import annotations

import tensorflow as tf

from quantizers.base.contract import Quantized
from quantizers.vector import VectorQuantizer, as_vectors, ungrouped


class DirectionalVectorQuantizer(VectorQuantizer):
    """The decoder sees ``y + |c - y| d``, with c the code nearest to y and d a constant direction.

    d is that of ``c - y`` plus a little Gaussian noise, so in training the value is close to the
    code, and after it the code itself. The length ``|c - y|`` carries the decoder's gradient to
    the latents and to the codes, so there is no penalty. The rate sends none to the encoder. Unlike
    in the paper, codes start from k-means and are revived as with ``VectorQuantizer``.
    """

    def __init__(
        self,
        *,
        seed: int,
        dim: int = 8,
        codebook_size: int = 256,
        variance: float = 1e-3,
        kmeans_steps: int = 10,
        revive_below: float = 0.05,
    ):
        """Takes the settings.

        Args:
            seed: seed of initial codes, k-means start, revivals and noise.
            dim: see ``VectorQuantizer``.
            codebook_size: see ``VectorQuantizer``.
            variance: of the noise's components, not negative; 0 for none.
            kmeans_steps: see ``Learning``.
            revive_below: see ``Learning``.

        Raises:
            ValueError: an argument is out of its range.
        """
        if variance < 0:
            raise ValueError(f"variance={variance} must not be negative.")
        super().__init__(
            seed=seed,
            dim=dim,
            codebook_size=codebook_size,
            commitment=0.0,
            codebook="gradient",
            kmeans_steps=kmeans_steps,
            revive_below=revive_below,
        )
        self._deviation = variance**0.5

    def _train(self, latents: tf.Tensor) -> Quantized:
        symbols = self.encode(latents)
        vectors = as_vectors(latents, self._dim)
        error = tf.reshape(self.decode(symbols), tf.shape(vectors)) - vectors
        noise = self._deviation * self._make.generator.normal(tf.shape(vectors))
        direction = tf.math.l2_normalize(noise + tf.stop_gradient(error), axis=-1, epsilon=1e-24)
        squared = tf.reduce_sum(tf.square(error), axis=-1, keepdims=True)
        # The slope of the root at 0, where a latent is its code, is infinite.
        length = tf.where(squared > 0, tf.sqrt(tf.maximum(squared, 1e-24)), 0.0)
        decoder = ungrouped(vectors + length * direction, latents, latents.shape[-1])
        return Quantized(self._one_hot(symbols), decoder, tf.zeros([]))
