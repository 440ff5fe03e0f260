"""The lapped orthogonal transform of color images, which ``models.lapped`` begins as.

Malvar and Staelin 1989, "The LOT: transform coding without blocking effects": blocks of N samples
have basis functions of 2 N samples, which reach half a block into each neighbour. Even functions
are symmetric and odd ones antisymmetric, so that an image that continues as its own mirror image
has latents beyond the border that equal those within, but for signs.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import numpy as np

CORRELATION = 0.95
"""Of neighbouring samples, for which the basis is optimal."""

COLORS = np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]]) / np.sqrt([[3], [2], [6]])
"""Rows: orthonormal brightness, red against blue, green against both."""

CHROMA_BANDWIDTH = 0.5
"""Frequencies kept of the two color differences, relative to those of brightness."""

SPREADS, DECAY = (1569.0, 144.0, 86.0), 1.73
"""Standard deviation of a coefficient at radius r of its band: ``SPREADS[color] * (1 + r)**-DECAY``
gray levels. Fitted to 320 coefficients over the 200 training photographs of BSDS500; the logarithms
of what it predicts are off by 0.27 (root mean square)."""


class Frequency(NamedTuple):
    """A basis function: its color (row of ``COLORS``) and its frequency along rows and columns."""

    color: int
    row: int
    column: int

    @property
    def radius(self) -> float:
        """Distance from the constant function."""
        return float(np.hypot(self.row, self.column))


def lowest_frequencies(size: int, count: int) -> List[Frequency]:
    """The ``count`` lowest of the ``3 * size**2`` frequencies of a block, from low to high."""
    every = (Frequency(*index) for index in np.ndindex(3, size, size))
    # The offset sorts brightness before colors.
    chroma = 1 / CHROMA_BANDWIDTH
    return sorted(every, key=lambda f: f.radius * chroma + 0.5 if f.color else f.radius)[:count]


def spreads(frequencies: Sequence[Frequency]) -> np.ndarray:
    """Standard deviations, in gray levels, of the coefficients of a typical photograph."""
    return np.array([SPREADS[f.color] * (1 + f.radius) ** -DECAY for f in frequencies])


def parities(frequencies: Sequence[Frequency]) -> np.ndarray:
    """Signs ``[2, frequencies]`` of a mirrored basis function, along rows and along columns."""
    return np.array([[(-1) ** f.row, (-1) ** f.column] for f in frequencies], float).T


def kernel(size: int, frequencies: Sequence[Frequency]) -> np.ndarray:
    """Orthonormal basis functions ``[2 * size, 2 * size, 3, frequencies]``."""
    one = lapped_orthogonal_transform(size)
    functions = [
        np.einsum("r,c,k->rck", one[f.row], one[f.column], COLORS[f.color]) for f in frequencies
    ]
    return np.stack(functions, axis=-1)


def lapped_orthogonal_transform(size: int) -> np.ndarray:
    """Basis functions ``[size, 2 * size]`` of the optimal transform in one dimension.

    Args:
        size: samples in a block, even.
    """
    cosines = _cosines(size)
    differences = (cosines[0::2] - cosines[1::2]).T
    mirrored = differences[::-1]
    # Any rotation within the symmetric half, and any within the other, keeps orthogonality over
    # the overlap. The best one decorrelates the coefficients.
    basis = np.block([[differences, differences], [mirrored, -mirrored]]) / 2
    distances = np.subtract.outer(np.arange(2 * size), np.arange(2 * size))
    covariance = basis.T @ CORRELATION ** np.abs(distances) @ basis
    half = size // 2
    result = np.empty((size, 2 * size))
    for parity, part in enumerate((slice(half), slice(half, size))):
        _, rotation = np.linalg.eigh(covariance[part, part])
        result[parity::2] = (basis[:, part] @ rotation[:, ::-1]).T
    # Eigenvectors have any sign: each function begins its right half as its cosine does.
    signs = np.sign(np.sum(result[:, size // 2 : -(size // 2)] * cosines, axis=1, keepdims=True))
    return result * signs


def _cosines(size: int) -> np.ndarray:
    """The orthonormal DCT-II, a row per frequency."""
    frequency, sample = np.mgrid[:size, :size]
    matrix = np.sqrt(2 / size) * np.cos(np.pi * (2 * sample + 1) * frequency / (2 * size))
    matrix[0] /= np.sqrt(2)
    return matrix
