"""Contrasts named beforehand: differences in loss and in rate, tests of them, and seeds to add."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from evaluation.comparison.bd_rate import check_overlap, overlap, rate_delta
from evaluation.comparison.bootstrap import (
    ENDS,
    LEVEL,
    Draws,
    Spread,
    p_value,
    spread_of,
    stretched,
)
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import paired, paired_interval, rate_statistic
from evaluation.comparison.losses import PairedLosses, paired_losses
from evaluation.comparison.measurements import Measurement
from evaluation.comparison.significance import (
    ALPHA,
    holm,
    p_text,
    seeds_for_a_verdict,
    sign_flip,
    smallest_p,
)

HALF_WIDTH = 1.0
"""Half-width, in percent, to which the seeds still needed are counted."""


class Contrast(NamedTuple):
    """One difference between two curves, a mean of log ratios.

    Attributes:
        curve: name.
        anchor: name of the curve that it is compared with.
        measure: "loss", "BD-rate", or "loss at lmbda=..." for a part of the first.
        seeds: how many pairs of runs; None without seeds, or if they are not paired.
        percent: the difference; below 0 is better than the anchor.
        low: lower end of the bootstrap's interval over files and seeds, percent.
        high: upper end.
        p: the bootstrap's, two-sided.
        sign_flip: p of the sign-flip test over paired seeds; None without them.
        better: share of pairs (of files, seeds and lmbda) with the lower loss; None for BD-rates.
        spread: variances, for the power analysis.
        p_holm: ``p`` corrected for the contrasts of the same measure.
        sign_flip_holm: ``sign_flip``, the same.
    """

    curve: str
    anchor: str
    measure: str
    seeds: Optional[int]
    percent: float
    low: float
    high: float
    p: float
    sign_flip: Optional[float]
    better: Optional[float]
    spread: Spread
    p_holm: Optional[float] = None
    sign_flip_holm: Optional[float] = None


class Contrasts(NamedTuple):
    """What was found of the named contrasts.

    Attributes:
        tested: one for each contrast and measure.
        parts: of the losses, one for each lmbda; not corrected.
        untested: sentences on contrasts without a test.
    """

    tested: Sequence[Contrast]
    parts: Sequence[Contrast]
    untested: Sequence[str]


def contrasts_of(
    pairs: Sequence[Tuple[str, str]],
    groups: Mapping[str, Sequence[Measurement]],
    curves: Mapping[str, Curve],
    *,
    resamples: int,
    seed: int,
) -> Contrasts:
    """Tests each pair by its losses at equal lmbda and by its BD-rate, where it has them.

    Args:
        pairs: (curve, anchor), named before results are looked at: Holm's correction counts them.
        groups: name -> runs, or the one file.
        curves: name -> curve that can have a BD-rate.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    bootstrap = {"resamples": resamples, "seed": seed}
    tested, parts, untested = [], [], []
    for name, anchor in pairs:
        reasons = []
        try:
            losses = paired_losses(groups[anchor], groups[name])
            tested.append(_of_losses(name, anchor, "loss", losses, **bootstrap))
            parts += [
                _of_losses(name, anchor, f"loss at lmbda={lmbda:g}", part, **bootstrap)
                for lmbda, part in _by_lmbda(losses)
            ]
        except ValueError as error:
            reasons.append(str(error))
        try:
            tested.append(_of_rates(name, anchor, curves, **bootstrap))
        except ValueError as error:
            reasons.append(str(error))
        if len(reasons) == 2:
            untested.append(f"{name} against {anchor} is not tested: {' '.join(reasons)}")
    return Contrasts(_corrected(tested), parts, untested)


def check_pairs(pairs: Sequence[Sequence[str]], names: Sequence[str]) -> None:
    """Raises a ValueError if a contrast names an unknown curve, or one curve twice."""
    for pair in pairs:
        for name in pair:
            if name not in names:
                raise ValueError(
                    f"contrast={name!r} must be one of the curves: {', '.join(names)}."
                )
        if len(set(pair)) < 2:
            raise ValueError(f"contrast={pair[0]!r} {pair[0]!r} must name two different curves.")


def _by_lmbda(losses: PairedLosses):
    for k, lmbda in enumerate(losses.lmbdas):
        one = losses.differences[k : k + 1]
        yield lmbda, losses._replace(lmbdas=(lmbda,), differences=one)


def _of_losses(name, anchor, measure, losses: PairedLosses, *, resamples, seed) -> Contrast:
    means = losses.differences.mean(axis=0)  # [seeds, files]

    def statistic(draws: Draws) -> np.ndarray:
        return np.einsum("rs,sf,rf->r", draws.seeds[0], means, draws.files, optimize=True)

    draws = losses.draws(resamples=resamples, seed=seed)
    spread = spread_of(statistic, draws, [len(losses.seeds)])
    estimate = 100 * np.expm1(means.mean())
    percents = stretched(100 * np.expm1(statistic(draws)), estimate, spread.stretch)
    low, high = np.percentile(percents, ENDS)
    better = 0.5 * (losses.differences < 0) + 0.5 * (losses.differences <= 0)
    flips = sign_flip(means.mean(axis=1))
    return Contrast(
        name, anchor, measure, len(losses.seeds), float(estimate), float(low), float(high),
        p_value(percents), flips, float(better.mean()), spread,
    )  # fmt: skip


def _of_rates(name, anchor, curves: Mapping[str, Curve], *, resamples, seed) -> Contrast:
    for each in (name, anchor):
        if each not in curves:
            raise ValueError(f"Curve {each!r} has no BD-rate.")
    first, second = curves[anchor], curves[name]
    check_overlap(anchor, name, overlap(first.quality, second.quality))
    interval = paired_interval(first, second, resamples=resamples, seed=seed)
    if interval is None:
        raise ValueError("Too many resamples have no BD-rate.")
    percent = rate_delta(first.rates, first.quality, second.rates, second.quality).percent
    seeds = flips = None
    if paired(first, second):
        seeds = len(first.seeds_at_all_points)
        equal = np.full([seeds, first.files], 1 / first.files)
        points = len(first.rates) + len(second.rates)
        flips = sign_flip(rate_statistic(first, second)(Draws(equal, points * (np.eye(seeds),))))
    return Contrast(
        name, anchor, "BD-rate", seeds, percent, interval.low, interval.high, interval.p, flips,
        None, interval.spread,
    )  # fmt: skip


def _corrected(tested: Sequence[Contrast]) -> List[Contrast]:
    found = list(tested)
    for measure in {each.measure for each in tested}:
        places = [k for k, each in enumerate(found) if each.measure == measure]
        corrected = {
            f"{test}_holm": holm([getattr(found[k], test) for k in places])
            for test in ("p", "sign_flip")
        }
        for number, k in enumerate(places):
            found[k] = found[k]._replace(**{key: each[number] for key, each in corrected.items()})
    return found


def contrast_cells(
    contrasts: Sequence[Contrast], half_width: float
) -> Tuple[List[str], List[List[str]]]:
    """Header and rows of the table of tests."""
    header = [
        "contrast", "measure", "seeds", "difference (%)", f"{LEVEL:.0%} interval", "p (Holm)",
        "sign-flip p (Holm)", "better", f"more seeds for ±{half_width:g} %",
    ]  # fmt: skip
    rows = []
    for each in contrasts:
        better = "-" if each.better is None else f"{each.better:.0%}"
        rows.append(
            [
                f"{each.curve} against {each.anchor}",
                each.measure,
                "-" if each.seeds is None else str(each.seeds),
                f"{each.percent:+.2f}",
                f"{each.low:+.2f} to {each.high:+.2f}",
                p_text(each.p, each.p_holm),
                p_text(each.sign_flip, each.sign_flip_holm),
                better,
                seeds_text(each.spread.more_seeds(half_width)),
            ]
        )
    return header, rows


def part_cells(parts: Sequence[Contrast]) -> Tuple[List[str], List[List[str]]]:
    """Header and rows of the losses at each lmbda."""
    measures = sorted({each.measure for each in parts}, key=lambda text: float(text.split("=")[1]))
    table: Dict[str, Dict[str, str]] = {}
    for each in parts:
        cell = f"{each.percent:+.2f} ({each.low:+.2f} to {each.high:+.2f})"
        table.setdefault(f"{each.curve} against {each.anchor}", {})[each.measure] = cell
    heads = [f"{text.partition(' at ')[2]}" for text in measures]
    rows = [[name, *(of.get(measure, "-") for measure in measures)] for name, of in table.items()]
    return ["contrast", *heads], rows


def contrast_notes(contrasts: Contrasts, half_width: float) -> List[str]:
    """Sentences below the tables."""
    found = list(contrasts.untested)
    if not contrasts.tested:
        return found
    measures = [each.measure for each in contrasts.tested]
    count = max(measures.count(measure) for measure in measures)
    found.append(
        "Contrasts: loss is bpp + lmbda * distortion of the coded files, as the mean difference of "
        "log loss over lmbda, seeds and files; below 0 is better. Interval and p as above; Holm's "
        f"correction is over the {count} contrasts of a measure, named before looking."
    )
    seeds = [each.seeds for each in contrasts.tested if each.sign_flip is not None]
    if seeds:
        floor = smallest_p(min(seeds))
        found.append(
            f"Sign-flip test: over paired seeds alone; with {min(seeds)} seeds its p cannot go "
            f"below 2/2^{min(seeds)} = {floor:.3g}, whatever the difference. To reach {ALPHA} it "
            f"needs {seeds_for_a_verdict(1)} seeds, and {seeds_for_a_verdict(count)} after Holm's "
            f"correction for {count} contrast{'s' * (count != 1)}."
        )
    if any(each.spread.seeds > 1 for each in contrasts.tested):
        found.append(
            f"More seeds: what an interval of ±{half_width:g} % is expected to need, from the "
            "variance between the seeds there are; with few of them a rough figure. 'no number' "
            "means that the files alone spread it further: add files."
        )
    return found


def contrast_records(contrasts: Contrasts, half_width: float) -> List[Dict[str, Any]]:
    """Flat records for JSON and CSV; infinitely many seeds are the text "no number"."""
    records = []
    for each in (*contrasts.tested, *contrasts.parts):
        fields = each._asdict()
        spread = fields.pop("spread")
        more = spread.more_seeds(half_width)
        fields["half_width_percent"] = half_width
        fields["more_seeds"] = "no number" if more == np.inf else more
        fields["deviation_of_files"] = float(np.sqrt(spread.of_files))
        fields["deviation_of_seeds"] = float(np.sqrt(spread.of_seeds))
        records.append(fields)
    return records


def seeds_text(more: Optional[float]) -> str:
    """How many seeds to add."""
    return "-" if more is None else "no number" if more == np.inf else str(int(more))
