"""Which runs form a curve, and what it is called."""

import pathlib

import pytest

from evaluation.comparison import grouping
from evaluation.comparison.measurements import Measurement
from evaluation.results import Results


def runs_of(*configs):
    return [
        Measurement(
            pathlib.Path("x.json"),
            "x",
            Results("", "", {"bpp": [1.0]}, provenance={"config": config}),
        )
        for config in configs
    ]


@pytest.fixture
def choices(quantizers):
    return grouping.quantizer_choices(quantizers)


@pytest.fixture
def name_of(config_of, choices):
    return lambda *overrides: grouping.quantizer_name(config_of(*overrides), choices)


def test_refined_files_are_curves_of_their_own(config_of, quantizers):
    def results_of(lmbda, refinement=None):
        config = {**config_of("quantizer=mixed"), "lmbda": lmbda}
        results = Results(
            name="",
            description="",
            points={"bpp": [1.0]},
            provenance={"config": config, "refinement": refinement},
        )
        return Measurement(pathlib.Path("x.json"), "x", results)

    sga, longer = ({"name": "sga", "steps": steps, "seed": 0} for steps in (500, 2000))
    plain = [results_of(0.01), results_of(0.1)]
    refined = [results_of(0.01, sga), results_of(0.1, {**sga, "seed": 1})]
    groups = grouping.group_runs([*plain, *refined], quantizers)
    assert groups == {"mixed": plain, "mixed + sga": refined}
    names = list(grouping.group_runs([*plain, *refined, results_of(0.01, longer)], quantizers))
    assert names == ["mixed", "mixed + sga (steps=500)", "mixed + sga (steps=2000)"]


def test_precision_is_of_training_and_of_evaluation(config_of, quantizers):
    def results_of(trained, **evaluated):
        config = config_of("quantizer=mixed", f"precision={trained}")
        given = {"config": config, **evaluated}
        results = Results(name="", description="", points={"bpp": [1.0]}, provenance=given)
        return Measurement(pathlib.Path("x.json"), "x", results)

    def names(*runs):
        return list(grouping.group_runs(runs, quantizers))

    as_trained = results_of("bfloat16", precision="float32")
    told = ["mixed (precision=float32)", "mixed (precision=bfloat16)"]
    assert names(results_of("float32", precision="float32"), as_trained) == told
    assert names(as_trained, results_of("bfloat16", precision="bfloat16")) == told
    # Older results tell how they were evaluated, in the place of how the run was trained.
    assert names(as_trained, results_of("float32")) == ["mixed"]
    assert names(results_of("float32"), results_of("bfloat16")) == told


@pytest.mark.parametrize("distortion", ["mse", "ms_ssim"])
def test_runs_of_several_lmbda_are_a_curve_though_parts_follow_it(
    config_of, quantizers, distortion
):
    parts = ("model=lapped", "quantizer=ramp", f"distortion={distortion}")
    runs = runs_of(*(config_of(*parts, f"lmbda={lmbda}") for lmbda in (0.7, 1.4)))
    weights = [run.config["model"]["transforms"]["lmbda"] for run in runs]
    assert weights[1] == 2 * weights[0] != 0
    assert grouping.group_runs(runs, quantizers) == {"ramp": runs}


def test_settings_that_are_ignored_do_not_tell_runs_apart(config_of, quantizers):
    runs = runs_of(*({**config_of(), "run": run} for run in "ab"))
    assert len(grouping.group_runs(runs, quantizers, ["run"])) == 1
    assert len(grouping.group_runs(runs, quantizers)) == 2


def test_whether_other_files_are_tested_matters_but_not_which(config_of, quantizers):
    photos = ("data=image_folder", "data.root=photos")
    given = [config_of(*photos, f"data.test_root={name}") for name in ("kodak", "val")]
    assert grouping.group_runs(runs_of(*given), quantizers).keys() == {"mixed"}
    groups = grouping.group_runs(runs_of(*given, config_of(*photos)), quantizers)
    names = [f"mixed (test_root={value})" for value in ("given", "null")]
    assert list(groups) == names, "without them a part of the photographs is not trained on"


def test_settings_that_read_the_same_are_numbered(config_of, quantizers):
    def names(*changes):
        configs = ({**config_of(), **each} for each in changes)
        return list(grouping.group_runs(runs_of(*configs), quantizers))

    steps = [{"steps": 2000}, {"steps": "2000"}]
    assert names(*steps) == ["mixed (number 1)", "mixed (number 2)"]
    assert names(*steps, {"steps": 5}) == [
        "mixed (steps=2000 number 1)", "mixed (steps=2000 number 2)", "mixed (steps=5)",
    ]  # fmt: skip
    found = names(*steps, *({"steps": 2000, key: 1} for key in "abcd"))
    nulls = "a=null b=null c=null d=null"
    assert found[:2] == [f"mixed ({nulls} number {number})" for number in (1, 2)]
    assert len(set(found)) == 6


def test_datasets_of_one_last_part_are_two(config_of, quantizers):
    datasets = ("imagenet_resized/64x64", "downsampled_imagenet/64x64", "a,b/64x64")
    configs = [{**config_of(), "data": {"name": name}} for name in datasets]
    assert list(grouping.group_runs(runs_of(*configs), quantizers)) == [
        "mixed (name=imagenet_resized/64x64)",
        "mixed (name=downsampled_imagenet/64x64)",
        "mixed (name=a;b/64x64)",
    ]


def test_references_of_a_strangers_results_are_not_followed(config_of, choices, monkeypatch):
    monkeypatch.setenv("SECRET", "12")
    config = {**config_of("quantizer=soft_round"), "steps": "${oc.env:SECRET}"}
    name = grouping.quantizer_name(config, choices)
    assert name.startswith("SoftRound") and "12" not in name


def test_names_of_quantizers(name_of, choices):
    assert name_of("quantizer=soft_then_hard", "steps=400") == "soft_then_hard"
    assert name_of("quantizer=vector", "seed=5") == "vector"
    assert name_of("quantizer=vector", "quantizer.dim=4") == "vector (dim=4)"
    changed = name_of("quantizer=soft_round", "quantizer.decoder.alpha=7")
    assert changed == "soft_round (decoder.alpha=7)"
    foreign = {
        "quantizer": {"_target_": "quantizers.ScalarQuantizer", "decoder": {"_target_": "x.Y"}}
    }
    assert grouping.quantizer_name(foreign, choices) == "Y"


def test_every_choice_is_called_what_it_is(name_of, quantizer_name):
    assert name_of(f"quantizer={quantizer_name}", "steps=123", "seed=3") == quantizer_name
