"""The transforms of Balle, Laparra and Simoncelli 2017, "End-to-end optimized image compression".

arXiv 1611.01704, as in TensorFlow Compression's ``models/bls2017.py``: convolutions 9x9 of stride
4, 5x5 and 5x5 of stride 2, GDN with exponents 1 between them. Unlike there, kernels are plain
variables instead of Fourier coefficients, and pixels lie on Keras' 'same' grid, in which a latent
is at the centre of its 16x16 pixels.
"""

from __future__ import annotations

from models.layers import GDN, Convolution, SubpixelTransposedConvolution, TransposedConvolution
from models.transforms import ImageTransforms, policy


class Bls2017Transforms(ImageTransforms):
    """Three strided convolutions each way.

    With N filters, images ``[b, 256, 256, 3]`` become ``[b, 64, 64, N]``, ``[b, 32, 32, N]`` and
    latents ``[b, 16, 16, N]``; the synthesis mirrors that.
    """

    def __init__(self, *, num_filters: int = 128, precision: str = "float32"):
        """Creates the layers and their variables.

        Args:
            num_filters: channels of every hidden layer and of the latents (N), at least 1.
            precision: compute type of convolutions and GDN, "float32" or "bfloat16".

        Raises:
            ValueError: an argument is out of its range.
        """
        if num_filters < 1:
            raise ValueError(f"num_filters={num_filters} must be at least 1.")
        dtype = policy(precision)
        super().__init__(
            name="bls2017",
            latent_channels=num_filters,
            convolutions=[(9, 4), (5, 2), (5, 2)],
            analysis=[
                Convolution(num_filters, 9, 4, "same", dtype=dtype),
                GDN(dtype=dtype),
                Convolution(num_filters, 5, 2, "same", dtype=dtype),
                GDN(dtype=dtype),
                Convolution(num_filters, 5, 2, "same", use_bias=False, dtype=dtype),
            ],
            synthesis=[
                TransposedConvolution(num_filters, 5, 2, "same", dtype=dtype),
                GDN(inverse=True, dtype=dtype),
                TransposedConvolution(num_filters, 5, 2, "same", dtype=dtype),
                GDN(inverse=True, dtype=dtype),
                SubpixelTransposedConvolution(3, 9, 4, "same", dtype=dtype),
            ],
        )
