"""The transforms of Balle et al. 2018, "Variational image compression with a scale hyperprior".

arXiv 1802.01436, the factorized-prior model: four 5x5 convolutions of stride 2, GDN between them.
As in ``models.bls2017``, GDN has exponents 1, kernels are plain variables, and pixels lie on Keras'
'same' grid.
"""

from __future__ import annotations

from models.layers import GDN, Convolution, SubpixelTransposedConvolution, TransposedConvolution
from models.transforms import ImageTransforms, policy


class FactorizedTransforms(ImageTransforms):
    """Four strided convolutions each way.

    With N filters and M latent channels, images ``[b, 256, 256, 3]`` become ``[b, 128, 128, N]``,
    ``[b, 64, 64, N]``, ``[b, 32, 32, N]`` and latents ``[b, 16, 16, M]``; the synthesis mirrors it.
    """

    def __init__(
        self, *, num_filters: int = 128, latent_channels: int = 192, precision: str = "float32"
    ):
        """Creates the layers and their variables.

        Args:
            num_filters: channels of the hidden layers (N), at least 1.
            latent_channels: channels of the latents (M), at least 1.
            precision: compute type of convolutions and GDN, "float32" or "bfloat16".

        Raises:
            ValueError: an argument is out of its range.
        """
        if num_filters < 1:
            raise ValueError(f"num_filters={num_filters} must be at least 1.")
        if latent_channels < 1:
            raise ValueError(f"latent_channels={latent_channels} must be at least 1.")
        dtype = policy(precision)
        analysis, synthesis = [], []
        for _ in range(3):
            analysis += [Convolution(num_filters, 5, 2, "same", dtype=dtype), GDN(dtype=dtype)]
            synthesis += [
                TransposedConvolution(num_filters, 5, 2, "same", dtype=dtype),
                GDN(inverse=True, dtype=dtype),
            ]
        analysis.append(Convolution(latent_channels, 5, 2, "same", use_bias=False, dtype=dtype))
        synthesis.append(SubpixelTransposedConvolution(3, 5, 2, "same", dtype=dtype))
        super().__init__(
            name="factorized",
            latent_channels=latent_channels,
            convolutions=[(5, 2)] * 4,
            analysis=analysis,
            synthesis=synthesis,
        )
