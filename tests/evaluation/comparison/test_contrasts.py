"""Losses at equal lmbda, per-file BD-rates and contrasts, on curves whose answer is known."""

import dataclasses

import numpy as np
import pytest

from evaluation.comparison.by_file import by_file
from evaluation.comparison.contrasts import (
    contrast_cells,
    contrast_notes,
    contrast_records,
    contrasts_of,
    part_cells,
)
from evaluation.comparison.curves import Curve, curve_of_runs
from evaluation.comparison.losses import paired_losses
from evaluation.comparison.measurements import FileRows, Measurement
from evaluation.comparison.page.sources import differences_between, shared_by
from evaluation.metrics import METRICS
from evaluation.results import Results

LMBDAS = (0.001, 0.002, 0.004, 0.008)
BOOTSTRAP = {"resamples": 200, "seed": 0}


def run(lmbda, seed, bpp, psnr, distortion="distortion.MeanSquaredError", digests=None, **config):
    bpp, psnr = np.asarray(bpp, float), np.asarray(psnr, float)
    digests = digests or tuple(f"{k:04d}" for k in range(len(bpp)))
    points = {"bpp": [float(bpp.mean())], "psnr-rgb": [float(psnr.mean())]}
    config = {
        "lmbda": lmbda, "seed": seed, "quantizer": {"_target_": "quantizers.Any"},
        "distortion": {"_target_": distortion}, **config,
    }  # fmt: skip
    provenance = {"config": config, "date": f"{lmbda} {seed} {config.get('name')}"}
    results = Results("x", "", points, provenance=provenance)
    rows = FileRows(digests, {"bpp": bpp, "psnr-rgb": psnr}, digests)
    return Measurement(None, f"run-{lmbda}-{seed}", results, (rows,))


def runs(factor=1.0, seeds=range(6), images=12, seed_noise=0.0, image_noise=0.0, **options):
    """Runs whose loss is `factor` of a common one: both rate and error are."""
    generator = np.random.default_rng([int(1000 * factor), len(seeds)])
    of_seed = {seed: generator.normal(0, seed_noise) for seed in seeds}
    of_image = generator.normal(0, image_noise, images)
    found = []
    for k, lmbda in enumerate(LMBDAS):
        for seed in seeds:
            scale = factor * np.exp(of_seed[seed] + of_image)
            bpp = scale * 0.1 * 2.0**k * np.linspace(0.5, 2, images)
            psnr = 26 + 3 * k + np.linspace(-2, 2, images) - 10 * np.log10(scale)
            found.append(run(lmbda, seed, bpp, psnr, **options))
    return found


def test_a_loss_worked_by_hand():
    # mse = 255^2 / 10^(psnr / 10): 65.025 at 30 dB, so bpp 0.5 + 0.01 * 65.025 = 1.15025.
    first = [run(0.01, 0, [0.5, 0.5], [30.0, 40.0])]
    second = [run(0.01, 0, [1.0, 0.4], [30.0, 40.0])]
    found = paired_losses(first, second)
    expected = np.log([1.65025 / 1.15025, 0.465025 / 0.565025])
    np.testing.assert_allclose(found.differences, expected[None, None], rtol=1e-12)


def test_a_constant_factor_in_loss_is_the_difference_at_each_lmbda_and_pooled():
    groups = {"a": runs(), "b": runs(0.97)}
    found = contrasts_of([("b", "a")], groups, {}, **BOOTSTRAP)
    (loss,) = found.tested
    assert [each.percent for each in (loss, *found.parts)] == pytest.approx([-3.0] * 5)
    assert (loss.low, loss.high, loss.better) == pytest.approx((-3, -3, 1))
    assert loss.sign_flip == 2 / 2**6 and loss.spread.more_seeds(1.0) == 0
    header, rows = part_cells(found.parts)
    assert header[1:] == [f"lmbda={lmbda:g}" for lmbda in LMBDAS] and len(rows) == 1


def test_intervals_of_losses_hold_the_truth():
    hits, trials = 0, 60
    for trial in range(trials):
        generator = np.random.default_rng(trial)
        of_seed, of_image = generator.normal(0, 0.01, [5, 1]), generator.normal(0, 0.02, [1, 20])
        logs = np.log(0.98) + of_seed + of_image + generator.normal(0, 0.01, [5, 20])
        psnr = np.full(20, np.inf)  # No error: the loss is the rate.
        first = [run(0.01, seed, np.ones(20), psnr) for seed in range(5)]
        second = [run(0.01, seed, np.exp(logs[seed]), psnr) for seed in range(5)]
        (loss,) = contrasts_of([("b", "a")], {"a": first, "b": second}, {}, **BOOTSTRAP).tested
        hits += loss.low <= -2 <= loss.high
    assert 0.87 <= hits / trials <= 1.0  # 60 trials of 95 % scatter by 2.8 %.


def test_only_what_both_have_is_paired():
    first, second = runs(seeds=range(4)), runs(0.9, seeds=range(2, 6))
    found = paired_losses(first, [each for each in second if each.config["lmbda"] > 0.001])
    assert (found.lmbdas, found.seeds) == (LMBDAS[1:], (2, 3))
    cases = [
        (runs(seeds=(8, 9)), "runs of the same lmbda and seed"),
        (runs(distortion="distortion.WeightedSum"), "got MeanSquaredError, WeightedSum"),
        (runs(digests=tuple("abcdefghijkl")), "measured on the same files"),
        ([each._replace(rows=()) for each in runs()], "per-file rows"),
    ]
    for others, message in cases:
        with pytest.raises(ValueError, match=message):
            paired_losses(first, others)


def test_the_lmbda_of_a_quality_is_paired_with_the_one_that_was_typed():
    of_quality = 0.0018 * (0.05 / 0.0018) ** 0.5
    first, second = ([run(lmbda, 0, [0.5, 0.5], [30.0, 40.0])] for lmbda in (0.009487, of_quality))
    with pytest.raises(ValueError, match="runs of the same lmbda"):
        paired_losses(first, second)
    second[0].results.provenance["quality"] = 50
    found = paired_losses(first, second)
    assert found.lmbdas == (0.00949,)
    np.testing.assert_allclose(found.differences, 0, atol=1e-4)


def test_near_lmbda_that_were_typed_are_two():
    first, second = (
        [run(lmbda, 0, [bpp, bpp], [30.0, 40.0]) for lmbda in (0.0483, 0.04831)]
        for bpp in (0.5, 0.6)
    )
    assert paired_losses(first, second).lmbdas == (0.0483, 0.04831)


def test_two_runs_of_one_lmbda_and_seed_are_not_tested():
    second = runs(0.9)
    second.append(second[7]._replace(source="again"))
    found = contrasts_of([("b", "a")], {"a": runs(), "b": second}, {}, **BOOTSTRAP)
    (sentence,) = found.untested
    words = "run-0.002-1 and again are both lmbda=0.002 seed=1; a curve has one run of each."
    assert not found.tested and words in sentence


def test_contrasts_are_corrected_by_measure_and_their_number():
    groups = {name: runs(f, image_noise=0.1, seed_noise=0.02) for name, f in
              (("a", 1.0), ("b", 0.9), ("c", 1.001), ("d", 1.002))}  # fmt: skip
    curves = {
        name: curve_of_runs(name, group, METRICS["psnr-rgb"]) for name, group in groups.items()
    }
    pairs = [("b", "a"), ("c", "a"), ("d", "a")]
    found = contrasts_of(pairs, groups, curves, **BOOTSTRAP)
    assert [(each.curve, each.measure) for each in found.tested] == [
        (name, measure) for name in "bcd" for measure in ("loss", "BD-rate")
    ]
    losses = [each for each in found.tested if each.measure == "loss"]
    smallest = min(losses, key=lambda each: each.p)
    assert smallest.p_holm == pytest.approx(3 * smallest.p)
    header, rows = contrast_cells(found.tested, 1.0)
    assert header[-1] == "more seeds for ±1 %" and rows[0][0] == "b against a"
    notes = " ".join(contrast_notes(found, 1.0))
    assert "over the 3 contrasts" in notes and "with 6 seeds its p cannot go below" in notes
    records = contrast_records(found, 1.0)
    assert len(records) == 6 + 3 * 4 and all("spread" not in each for each in records)
    alone = contrasts_of(pairs[:1], groups, curves, **BOOTSTRAP)
    assert alone.tested[0].p_holm == alone.tested[0].p


def test_a_contrast_without_a_test_says_why():
    first, second = runs(seeds=(0, 1)), runs(seeds=(5, 6))
    found = contrasts_of([("b", "a")], {"a": first, "b": second}, {}, **BOOTSTRAP)
    (sentence,) = found.untested
    assert not found.tested and "b against a is not tested: loss at equal" in sentence
    assert contrast_notes(found, 1.0) == [sentence]


def curves_of_files(factors):
    """An anchor and a curve that needs, on each file, this factor of the anchor's rate."""
    sizes = np.geomspace(0.1, 10, len(factors))
    bpp = np.array([0.1, 0.2, 0.4, 0.8])[:, None, None] * sizes
    psnr = np.broadcast_to(np.array([26.0, 29, 32, 35])[:, None, None], bpp.shape)
    found = []
    for name, scale in (("anchor", 1.0), ("other", np.asarray(factors))):
        rates = scale * bpp
        found.append(
            Curve(
                name, METRICS["psnr-rgb"], rates.mean(axis=(1, 2)), psnr.mean(axis=(1, 2)),
                file_rates=tuple(rates), file_quality=tuple(psnr),
            )
        )  # fmt: skip
    return found


def test_per_file_bd_rates_weigh_files_alike():
    factors = [0.6, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 2.0]
    found = by_file(*curves_of_files(factors), **BOOTSTRAP)
    np.testing.assert_allclose(found.percents, 100 * (np.array(factors) - 1), atol=1e-9)
    assert found.mean == pytest.approx(10.0)
    assert found.interquartile_mean == pytest.approx(2.5)  # Of -5, 0, 5, 10.
    assert found.better == pytest.approx(3.5 / 8), "three are better, and a tie is half"
    assert found.interval[0] < 10 < found.interval[1]
    assert 0 <= found.better_interval[0] < 3.5 / 8 < found.better_interval[1] <= 1


def test_files_without_a_bd_rate_are_left_out_up_to_half():
    anchor, other = curves_of_files([0.9] * 6)
    quality = [np.array(each) for each in other.file_quality]
    quality[2][:, :2] = 20.0
    found = by_file(anchor, dataclasses.replace(other, file_quality=tuple(quality)), **BOOTSTRAP)
    assert np.isnan(found.percents).tolist() == [True] * 2 + [False] * 4
    assert found.mean == pytest.approx(-10) and found.interval == pytest.approx((-10, -10))
    quality[2][:, :4] = 20.0
    fallen = dataclasses.replace(other, file_quality=tuple(quality))
    assert by_file(anchor, fallen, **BOOTSTRAP) is None


def test_settings_that_differ_between_curves():
    groups = {
        "a": runs(seeds=(0, 1), steps=100, name="a"),
        "b": runs(seeds=(0, 1), steps=200, name="b", rate={"slope": 2}),
    }
    header, rows = differences_between(groups)
    assert header == ["setting", "a", "b"] and rows == [
        ["results", "8", "8"],
        ["config.steps", "100", "200"],
        ["config.name", "a", "b"],
        ["config.rate.slope", "-", "2"],
    ], "neither seeds nor dates tell curves apart"
    shared = shared_by(groups)
    assert shared["config"]["distortion"] == {"_target_": "distortion.MeanSquaredError"}
    assert "steps" not in shared["config"]
