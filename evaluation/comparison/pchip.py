"""PCHIP through many curves at once, one row of points each.

The slopes are those of ``scipy.interpolate.PchipInterpolator`` (Fritsch & Butland 1984), which
interpolates many curves only if they share their positions. Resampled curves do not.
"""

from __future__ import annotations

import numpy as np


class PchipRows:
    """Cubic Hermite curves, monotone between their points, that can be evaluated and integrated."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        """Takes the points.

        Args:
            x: float64 [rows, points], rising along each row; at least three points.
            y: float64, the same shape.
        """
        self._x, self._y, self._widths = x, y, np.diff(x)
        self._slopes = _slopes(self._widths, np.diff(y) / self._widths)

    def __call__(self, at: np.ndarray) -> np.ndarray:
        """Values at positions [rows, m]; beyond a row's points its end pieces continue."""
        _, _, s, (c0, c1, c2, c3) = self._pieces(at)
        return c0 + s * (c1 + s * (c2 + s * c3))

    def integral(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Integrals [rows] between two positions [rows]."""
        whole = self._widths * (self._y[:, :-1] + self._y[:, 1:]) / 2
        whole += self._widths**2 * (self._slopes[:, :-1] - self._slopes[:, 1:]) / 12
        before = np.pad(np.cumsum(whole, axis=1), ((0, 0), (1, 0)))
        piece, width, s, (c0, c1, c2, c3) = self._pieces(np.stack([low, high], axis=1))
        within = width * s * (c0 + s * (c1 / 2 + s * (c2 / 3 + s * c3 / 4)))
        upto = np.take_along_axis(before, piece, axis=1) + within
        return upto[:, 1] - upto[:, 0]

    def _pieces(self, at: np.ndarray):
        """Number and width of each position's piece, place in it (0 to 1), and coefficients."""
        piece = (at[:, :, np.newaxis] >= self._x[:, np.newaxis, 1:-1]).sum(axis=2)

        def taken(values, number=piece):
            return np.take_along_axis(values, number, axis=1)

        width = taken(self._widths)
        place = (at - taken(self._x)) / width
        start, rise = taken(self._y), taken(np.diff(self._y))
        left, right = width * taken(self._slopes), width * taken(self._slopes, piece + 1)
        return (
            piece,
            width,
            place,
            (start, left, 3 * rise - 2 * left - right, left + right - 2 * rise),
        )


def _slopes(h: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Slopes at the points, from the pieces' widths and chords."""
    slopes = np.empty([len(h), h.shape[1] + 1])
    w0, w1 = h[:, :-1] + 2 * h[:, 1:], 2 * h[:, :-1] + h[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        harmonic = (w0 + w1) / (w0 / m[:, :-1] + w1 / m[:, 1:])
    slopes[:, 1:-1] = np.where(np.sign(m[:, :-1]) * np.sign(m[:, 1:]) > 0, harmonic, 0)
    slopes[:, 0] = _end_slope(h[:, 0], h[:, 1], m[:, 0], m[:, 1])
    slopes[:, -1] = _end_slope(h[:, -1], h[:, -2], m[:, -1], m[:, -2])
    return slopes


def _end_slope(h0: np.ndarray, h1: np.ndarray, m0: np.ndarray, m1: np.ndarray) -> np.ndarray:
    """One-sided three-point estimate, limited so that the curve stays monotone."""
    slope = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    slope = np.where(np.sign(slope) == np.sign(m0), slope, 0)
    return np.where((np.sign(m0) != np.sign(m1)) & (np.abs(slope) > 3 * np.abs(m0)), 3 * m0, slope)
