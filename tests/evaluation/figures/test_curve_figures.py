"""The figure of a comparison: an inset magnifies the anchor's middle."""

import matplotlib
import numpy as np
import pytest

from evaluation.comparison.curves import Curve
from evaluation.figures.curves import Compared, _comparison
from evaluation.figures.style import STYLE
from evaluation.metrics import METRICS


def curve(name, factor):
    rates, quality = factor * np.array([0.1, 0.2, 0.4, 0.8]), np.array([26.0, 29, 32, 35])
    return Curve(name, METRICS["psnr-rgb"], rates, quality)


@pytest.fixture
def panels():
    anchor, grid = curve("anchor", 1.0), np.linspace(26, 35, 5)
    return drawn(anchor, [("better", 0.9), ("worse", 1.2)], grid).axes


def drawn(anchor, others, grid):
    rows = [Compared(curve(name, f), np.full(5, 100 * (f - 1)), None) for name, f in others]
    with matplotlib.rc_context(STYLE):
        figure = _comparison(anchor, rows, grid, "kodak")
        figure.canvas.draw()
    return figure


def test_the_inset_shows_all_curves_around_the_middle_of_the_anchor(panels):
    curves, _ = panels
    (lens,) = curves.child_axes
    middle = np.sqrt(0.2 * 0.4)  # Of the logarithms of its rates.
    assert np.mean(lens.get_xlim()) == pytest.approx(middle)
    assert np.mean(lens.get_ylim()) == pytest.approx(30.5)
    for inner, outer in (
        (lens.get_xlim(), curves.get_xlim()),
        (lens.get_ylim(), curves.get_ylim()),
    ):
        assert outer[0] < inner[0] and inner[1] < outer[1]
        assert np.ptp(inner) < 0.2 * np.ptp(outer)
    for whole, near in zip(curves.lines, lens.lines):
        assert whole.get_color() == near.get_color()
        np.testing.assert_array_equal(whole.get_xdata(), near.get_xdata())
    assert len(lens.lines) == 3


def test_the_inset_covers_no_point(panels):
    curves, _ = panels
    box = curves.child_axes[0].get_window_extent()
    for line in curves.lines:
        points = curves.transData.transform(np.column_stack(line.get_data()))
        assert not any(box.contains(*point) for point in points)


def test_there_is_no_inset_where_no_place_is_empty():
    anchor, grid = curve("anchor", 1.0), np.linspace(26, 35, 5)
    # At ten times the rate, curves fill the corner below; a low one and a high one the others.
    everywhere = [(f"x{factor}", factor) for factor in (0.05, 0.2, 0.5, 1.4, 2, 3, 5, 8)]
    figure = drawn(anchor, everywhere, grid)
    assert not figure.axes[0].child_axes


def test_names_are_text_in_the_legend():
    anchor, grid = curve("$a_{$", 1.0), np.linspace(26, 35, 5)
    figure = drawn(anchor, [("_hidden", 0.9), ("{x} $5^ $6_", 1.1)], grid)
    shown = [text.get_text().lstrip("\u200b") for text in figure.legends[0].get_texts()]
    assert shown == ["$a_{$", "_hidden", "{x} $5^ $6_"]
