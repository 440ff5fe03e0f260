"""The bootstrap: how often its intervals hold the truth, what is paired, what is refused."""

import dataclasses

import numpy as np
import pytest

from evaluation.comparison import intervals
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import paired_interval, seed_band
from evaluation.metrics import METRICS

BPP = np.array([0.15, 0.3, 0.6, 1.2])
PSNR = np.array([27.0, 30.0, 33.0, 36.0])


def curve(name, file_rates, file_psnr, seeds):
    """From [points, seeds, images]."""
    return Curve(
        name,
        METRICS["psnr-rgb"],
        file_rates.mean(axis=(1, 2)),
        file_psnr.mean(axis=(1, 2)),
        seeds=(tuple(seeds),) * len(file_rates),
        file_rates=tuple(file_rates),
        file_quality=tuple(file_psnr),
    )


def pair(
    generator, *, images=24, seeds=3, factor=0.95, image_noise=0.3, seed_noise=0.0, paired=0.1
):
    """Curves whose expected rates differ by `factor`; images are far more unlike than codecs."""
    difficulty = generator.normal(0, 2.0, images)
    common = np.log(BPP)[:, None, None] + generator.normal(0, 0.4, images)
    curves = []
    for name, scale in (("anchor", 1.0), ("other", factor)):
        bpp = scale * np.exp(np.broadcast_to(common, (4, seeds, images)))
        of_image = generator.normal(0, image_noise, images)
        of_seed = generator.normal(0, seed_noise, seeds)[:, None] if seed_noise else 0
        noise = of_image + of_seed + generator.normal(0, paired * 0.2, (4, seeds, images))
        curves.append(curve(name, bpp, PSNR[:, None, None] + difficulty + noise, range(seeds)))
    return curves


def covered(trials, **settings):
    truth, hits, widths = -5.0, 0, []
    for trial in range(trials):
        anchor, other = pair(np.random.default_rng(trial), **settings)
        interval = paired_interval(anchor, other, resamples=200, seed=trial)
        hits += interval.low <= truth <= interval.high
        widths.append(interval.high - interval.low)
    return hits / trials, np.mean(widths)


def test_the_interval_holds_the_truth_in_about_95_percent_of_trials():
    share, _ = covered(200)
    # Percentiles of 24 images are a little short; 200 trials scatter by 1.6 % besides.
    assert 0.88 <= share <= 0.99


def test_three_seeds_that_differ_are_known_to_be_few():
    share, _ = covered(60, seeds=3, image_noise=0.05, seed_noise=0.3)
    assert share >= 0.8, "without Student's t it is 0.68"


def test_ten_seeds_that_differ_widen_the_interval_as_they_should():
    share, width = covered(60, seeds=10, image_noise=0.05, seed_noise=0.3)
    assert 0.84 <= share <= 1.0
    assert width > 2 * covered(20, seeds=10, image_noise=0.05)[1]


def test_what_images_share_cancels():
    anchor, other = pair(np.random.default_rng(0), image_noise=0.0)
    interval = paired_interval(anchor, other, resamples=200, seed=0)
    # Means over 24 images scatter by 0.4 dB, which is 10 % of the rate.
    assert interval.low < -5 < interval.high and interval.high - interval.low < 1
    assert interval.p == pytest.approx(2 / 201)


def test_seeds_in_common_are_drawn_together_and_others_are_not():
    generator = np.random.default_rng(1)
    anchor, _ = pair(generator, seeds=4, image_noise=0, seed_noise=0.5)
    better = tuple(0.9 * rates for rates in anchor.file_rates)
    same = dataclasses.replace(anchor, name="same", file_rates=better, rates=0.9 * anchor.rates)
    interval = paired_interval(anchor, same, resamples=100, seed=0)
    assert interval.low == pytest.approx(-10) and interval.high == pytest.approx(-10)
    others = dataclasses.replace(same, seeds=((10, 11, 12, 13),) * 4)
    apart = paired_interval(anchor, others, resamples=100, seed=0)
    assert apart.high - apart.low > 1


def test_equal_curves_are_no_difference():
    anchor, _ = pair(np.random.default_rng(2))
    interval = paired_interval(anchor, anchor, resamples=100, seed=0)
    assert (interval.low, interval.high, interval.p) == (0, 0, 1)


def test_equal_seeds_give_equal_intervals_and_the_band_follows_the_grid():
    anchor, other = pair(np.random.default_rng(3))
    grid = np.linspace(anchor.quality[0] - 5, anchor.quality[-1] + 5, 30)
    first = paired_interval(anchor, other, resamples=100, seed=7, grid=grid)
    again = paired_interval(anchor, other, resamples=100, seed=7, grid=grid)
    assert first[:3] == again[:3] != paired_interval(anchor, other, resamples=100, seed=8)[:3]
    assert first.band.shape == (2, 30) and np.isnan(first.band[:, [0, -1]]).all()
    middle = first.band[:, 15]
    assert middle[0] <= middle[1]


def test_curves_that_fall_in_many_resamples_have_no_interval():
    generator = np.random.default_rng(4)
    anchor, other = pair(generator)
    psnr = [np.array(point) for point in other.file_quality]
    psnr[1] = psnr[0] + generator.normal(0.01, 3.0, psnr[0].shape[1])
    shaky = dataclasses.replace(other, file_quality=tuple(psnr))
    assert paired_interval(anchor, shaky, resamples=100, seed=0) is None


def test_refusals():
    anchor, other = pair(np.random.default_rng(5))
    with pytest.raises(ValueError, match="resamples=10 must be 100 to 1000000"):
        paired_interval(anchor, other, resamples=10, seed=0)
    published = dataclasses.replace(other, file_rates=None)
    with pytest.raises(ValueError, match="'other' has no per-file rows"):
        paired_interval(anchor, published, resamples=100, seed=0)
    one, two = pair(np.random.default_rng(5), images=1)
    with pytest.raises(ValueError, match="at least 2 images, got 1"):
        paired_interval(one, two, resamples=100, seed=0)


def test_the_band_is_where_half_of_the_resamples_reach():
    """Images drawn again move the qualities of a curve: hardly one is reached by all resamples."""
    at = np.tile(np.arange(100.0)[:, None], (1, 3))
    at[:40, 1] = at[:60, 2] = np.nan
    low, high = intervals._band(at, [10, 90])
    np.testing.assert_allclose([low[0], high[0]], np.percentile(np.arange(100), [10, 90]))
    np.testing.assert_allclose([low[1], high[1]], np.percentile(np.arange(40, 100), [10, 90]))
    assert np.isnan([low[2], high[2]]).all()


def test_band_over_seeds_holds_every_seed():
    _, other = pair(np.random.default_rng(6), seed_noise=0.3)
    low, high = seed_band(other, np.log10(other.rates))
    assert (low <= other.quality + 1e-9).all() and (high >= other.quality - 1e-9).all()
    single = pair(np.random.default_rng(6), seeds=1)[0]
    assert seed_band(single, np.log10(single.rates)) is None
