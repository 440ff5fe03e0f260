"""Sign flips and Holm's correction against examples worked by hand, and simulations."""

import itertools

import numpy as np
import pytest

from evaluation.comparison.bootstrap import Draws, Spread, spread_of, weights_of
from evaluation.comparison.significance import holm, seeds_for_a_verdict, sign_flip, smallest_p


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1.0, 2.0, 3.0], 2 / 8),  # Only all signs equal reach the sum of 6: two of eight.
        ([1.0, 2.0, -3.0], 1.0),  # The sum is 0: none is closer.
        ([-1.0, 2.0, 3.0], 4 / 8),  # 4 and 6, and their negatives.
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2 / 64),
        ([0.0, 0.0], 1.0),
    ],
)
def test_sign_flips_worked_by_hand(differences, p):
    assert sign_flip(np.array(differences)) == pytest.approx(p)


def test_sign_flips_are_the_share_of_all_patterns():
    values = np.random.default_rng(0).normal(0.4, 1, 8)
    sums = np.array([np.dot(signs, values) for signs in itertools.product((-1, 1), repeat=8)])
    expected = np.mean(np.abs(sums) >= abs(values.sum()) - 1e-12)
    assert sign_flip(values) == pytest.approx(expected)


def test_the_floor_of_sign_flips():
    assert (
        [sign_flip(np.ones(n)) for n in (2, 3, 5, 6)]
        == [smallest_p(n) for n in (2, 3, 5, 6)]
        == [0.5, 0.25, 0.0625, 0.03125]
    )
    assert sign_flip(np.ones(1)) is None and sign_flip(np.array([1.0, np.nan])) is None
    # With 5 contrasts the least p is multiplied by 5: 2 * 5 / 2^8 = 0.039, and 0.078 with 7 seeds.
    assert (seeds_for_a_verdict(1), seeds_for_a_verdict(5)) == (6, 8)


def test_holm_worked_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, None, 0.5]) == [1.0, None, 1.0] and holm([]) == []


def test_half_width_of_seeds_alone_is_the_t_interval():
    """Of 4 differences without a spread of files: 3.182 standard errors, in log."""
    spread = Spread(of_files=0.0, of_seeds=0.01**2 / 4, files=24, seeds=4)
    assert spread.half_width(4) == pytest.approx(100 * np.expm1(3.18245 * 0.005), rel=1e-5)
    assert spread.half_width(16) == pytest.approx(100 * np.expm1(2.13145 * 0.0025), rel=1e-5)


def test_seeds_to_add():
    spread = Spread(of_files=0.0, of_seeds=0.01**2 / 4, files=24, seeds=4)
    # t(5) * .01 / sqrt(6) = 1.0494 %, t(6) * .01 / sqrt(7) = .9248 %.
    assert spread.more_seeds(1.0) == 3 and spread.more_seeds(1.1) == 2
    assert spread.more_seeds(5.0) == 0
    assert spread._replace(of_files=0.01**2).more_seeds(1.0) == np.inf, "files alone give 2 %"
    assert spread._replace(seeds=1).more_seeds(1.0) is None


def test_planned_seeds_give_the_width_that_was_asked():
    """A simulation: plans from 10 seeds each, and intervals with as many seeds as they say."""
    generator = np.random.default_rng(1)

    def spread_with(seeds):
        values = generator.normal(0, 0.02, [seeds, 1]) + generator.normal(0, 0.01, [1, 40])
        draws = Draws(weights_of(generator, 40, 200), (weights_of(generator, seeds, 200),))
        return spread_of(
            lambda some: np.einsum("rs,sf,rf->r", some.seeds[0], values, some.files), draws, [seeds]
        )

    planned = int(np.median([10 + spread_with(10).more_seeds(0.8) for _ in range(15)]))
    assert planned > 15
    widths = [spread_with(planned).half_width(planned) for _ in range(15)]
    assert np.median(widths) == pytest.approx(0.8, rel=0.15)
