"""BD-rate against closed forms, a published pair of curves, and its refusals."""

import numpy as np
import pytest

from evaluation.comparison.bd_rate import (
    check_curve,
    check_overlap,
    interpolation_error,
    overlap,
    quality_delta,
    rate_delta,
    rate_deltas,
)

BPP = np.array([0.1, 0.25, 0.4, 0.9, 1.6])
QUALITY = np.array([26.0, 29.0, 30.5, 34.0, 37.0])

# Kodak, Pillow 7.1.2, as published with CompressAI: every third point of jpeg.json and webp.json.
JPEG = [
    [0.22115325927734372, 0.5085533523003472, 0.728946261935764, 0.9060007731119791],
    [23.779894921045457, 29.04180914810682, 30.903164761925012, 32.05865273799422],
]
WEBP = [
    [0.23441908094618058, 0.4070485432942709, 0.5674065483940972, 0.7218170166015625],
    [28.328423711178047, 30.406978660790273, 31.935957285610844, 33.23755297085759],
]


@pytest.mark.parametrize("factor", [0.5, 0.93, 1.0, 1.25, 3.0])
def test_a_constant_factor_in_rate_is_the_bd_rate(factor):
    grid = np.linspace(25, 38, 14)
    delta = rate_delta(BPP, QUALITY, factor * BPP, QUALITY, grid)
    assert delta.percent == pytest.approx(100 * (factor - 1), abs=1e-9)
    inside = (grid >= 26) & (grid <= 37)
    np.testing.assert_allclose(delta.at[inside], 100 * (factor - 1), atol=1e-9)
    assert np.isnan(delta.at[~inside]).all()


def test_identical_curves_differ_by_nothing():
    assert rate_delta(BPP, QUALITY, BPP, QUALITY).percent == 0
    assert quality_delta(BPP, QUALITY, BPP, QUALITY) == 0


def test_a_constant_gain_in_quality_is_the_bd_psnr():
    assert quality_delta(BPP, QUALITY, BPP, QUALITY + 0.7) == pytest.approx(0.7)


def test_a_straight_line_in_log_rate_gives_the_gain_over_its_slope():
    # quality = 10 log10(rate): one dB is worth 10 % of a decade, whatever the points.
    bpp, other = np.geomspace(0.1, 2, 5), np.geomspace(0.12, 1.7, 7)
    delta = rate_delta(bpp, 10 * np.log10(bpp), other, 10 * np.log10(other) + 1)
    assert delta.percent == pytest.approx(100 * (10**-0.1 - 1))


def test_both_directions_undo_each_other():
    other = BPP * np.linspace(0.8, 1.1, 5)
    there = rate_delta(BPP, QUALITY, other, QUALITY + 0.3).percent
    back = rate_delta(other, QUALITY + 0.3, BPP, QUALITY).percent
    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1)


def test_webp_against_jpeg_on_kodak():
    # By trapezoids through PCHIP on a fine grid: an integral that is not the package's.
    from scipy.interpolate import PchipInterpolator

    (jpeg, jpeg_psnr), (webp, webp_psnr) = np.array(JPEG), np.array(WEBP)
    grid = np.linspace(webp_psnr[0], jpeg_psnr[-1], 20001)
    difference = PchipInterpolator(webp_psnr, np.log(webp))(grid)
    difference -= PchipInterpolator(jpeg_psnr, np.log(jpeg))(grid)
    expected = 100 * np.expm1(np.trapz(difference, grid) / np.ptp(grid))
    percent = rate_delta(jpeg, jpeg_psnr, webp, webp_psnr).percent
    assert percent == pytest.approx(expected, abs=1e-4) and -45 < percent < -30


def test_overlap_is_a_share_of_the_shorter_curve():
    assert overlap(np.array([20.0, 40.0]), np.array([30.0, 34.0])) == (30, 34, 1)
    assert overlap(np.array([20.0, 30.0]), np.array([29.0, 33.0])) == (29, 30, 0.25)
    assert overlap(np.array([20.0, 30.0]), np.array([31.0, 33.0])).share == 0


def test_refusals_name_curve_value_and_rule():
    with pytest.raises(ValueError, match=r"'x' has 3 points; .* at least 4"):
        check_curve("x", BPP[:3], QUALITY[:3])
    falling = np.array([26.0, 29.0, 28.5, 34.0, 37.0])
    with pytest.raises(ValueError, match=r"'x' goes from 29\.000 dB at 0\.2500 bpp to 28\.500 dB"):
        check_curve("x", BPP, falling)
    with pytest.raises(ValueError, match=r"'x' and the anchor 'a' share 25% .* at least 50%"):
        check_overlap("a", "x", overlap(np.array([20.0, 30.0]), np.array([29.0, 33.0])))


def test_no_bd_psnr_where_rates_hardly_overlap():
    assert quality_delta(BPP, QUALITY, 30 * BPP, QUALITY) is None


def test_many_pairs_at_once_are_each_pair_alone():
    """The resamples of a bootstrap, of which some fall, overlap too little or are infinite."""
    generator = np.random.default_rng(0)

    def drawn(low, high, points):
        return np.sort(generator.uniform(low, high, [300, points]), axis=1)

    curves = [drawn(0.1, 2, 5), drawn(25, 40, 5), drawn(0.1, 2, 6), drawn(25, 40, 6)]
    curves[1][0, 2], curves[2][1, 0], curves[3][2, -1] = 20.0, 2.5, np.inf
    curves[1][3], curves[3][3] = [25, 30, 30.0001, 39.9, 40], [25, 38, 39, 39.5, 39.6, 39.7]
    grid = np.linspace(24, 41, 50)
    percents, at = rate_deltas(*curves, grid)
    known = np.isfinite(percents)
    alone = {
        number: rate_delta(*pair, grid)
        for number, pair in enumerate(zip(*curves))
        if number > 2 and overlap(pair[1], pair[3]).share >= 0.5
    }
    assert 200 < len(alone) < 297 and np.flatnonzero(known).tolist() == list(alone)
    alone = list(alone.values())
    np.testing.assert_allclose(percents[known], [e.percent for e in alone], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(at[known], [e.at for e in alone], rtol=1e-9, atol=1e-9)
    nothing = rate_deltas(*(each[:3] for each in curves), grid)
    assert [each.shape for each in nothing] == [(3,), (3, 50)]
    assert np.isnan(nothing[0]).all() and np.isnan(nothing[1]).all()


def test_interpolation_adds_nothing_to_straight_lines():
    bpp, other = np.geomspace(0.1, 2, 6), np.geomspace(0.12, 1.7, 7)
    error = interpolation_error(bpp, 10 * np.log10(bpp), other, 10 * np.log10(other) + 1)
    assert error.akima == pytest.approx(100 * (10**-0.1 - 1))
    assert error.subset == pytest.approx(0, abs=1e-9) and error.percent < 1e-9


def test_the_subset_error_is_the_largest_change_without_one_inner_point():
    bent = QUALITY + np.array([0, 0.6, -0.4, 0.3, 0])
    error = interpolation_error(BPP, QUALITY, 0.95 * BPP, bent)
    percent = rate_delta(BPP, QUALITY, 0.95 * BPP, bent).percent
    changes = []
    for k in (1, 2, 3):
        rest = np.delete(np.arange(5), k)
        changes.append(rate_delta(BPP[rest], QUALITY[rest], 0.95 * BPP, bent).percent)
        changes.append(rate_delta(BPP, QUALITY, 0.95 * BPP[rest], bent[rest]).percent)
    assert error.subset == pytest.approx(max(abs(each - percent) for each in changes)) and (
        error.percent == pytest.approx(max(error.subset, abs(error.akima - percent)))
    )
    assert error.subset > 0.5 and error.akima != percent
