"""The figure of per-file BD-rates: the profile is their cumulative share."""

import matplotlib
import numpy as np

from evaluation.comparison.by_file import ByFile
from evaluation.comparison.curves import Curve
from evaluation.figures.profile import _figure
from evaluation.figures.style import STYLE
from evaluation.metrics import METRICS


def test_profile_and_chances():
    anchor = Curve("anchor", METRICS["psnr-rgb"], np.array([0.1, 0.2]), np.array([26.0, 29]))
    percents = np.array([5.0, -10, np.nan, -2, 1])
    found = ByFile(percents, -1.5, (-5.0, 2.0), -0.5, 0.5, (0.25, 0.75))
    files = {"$a_b$": found, "_c" * 30: found}
    with matplotlib.rc_context(STYLE):
        figure = _figure(anchor, files, "kodak")
        figure.canvas.draw()
    shares, chances = figure.axes
    x, y = shares.lines[0].get_data()
    for percent, share in ((-10.1, 0), (-10, 0.25), (0, 0.5), (1, 0.75), (6, 1)):
        assert max(y[x <= percent], default=0) == share
    interval, middle = chances.lines[:2]
    assert list(interval.get_xdata()) == [0.25, 0.75] and middle.get_xdata()[0] == 0.5
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < figure.get_figwidth() + 0.02, "nothing is cut off"
