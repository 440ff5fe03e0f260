"""Run directories: names, who may enter, what counts as the same run."""

import hydra
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from assembly.choices import CONFIGS, run_name
from training.run_directory import RunDirectory
from training.run_names import default_name, run_path
from training.settings import register_settings

CONFIG = {
    "lmbda": 0.01,
    "run": "a",
    "model": {"filters": 8, "_target_": "models.A"},
    "log_every": 1,
}


def config(**changes):
    return OmegaConf.create({**CONFIG, **changes})


def test_a_bare_name_stands_under_runs():
    assert run_path("mine").as_posix() == "runs/mine"
    assert run_path("runs/mine").as_posix() == "runs/mine"
    assert run_path("/elsewhere/mine").as_posix() == "/elsewhere/mine"


def test_default_names_tell_runs_apart():
    choices = {"model": "bls2017", "quantizer": "mixed", "data": "photos", "optimizer": "adam"}
    plain = default_name(choices, {"lmbda": 0.013, "seed": 0}, [])
    assert plain == "bls2017-mixed-photos-lmbda0.013-seed0"
    one = default_name(choices, {"seed": 0}, ["data.root=/a", "batch_size=4"])
    same = default_name(choices, {"seed": 0}, ["batch_size=4", "data.root=/a"])
    other = default_name(choices, {"seed": 0}, ["data.root=/b", "batch_size=4"])
    assert one == same != other
    assert default_name(choices, {"seed": 20240101}, []).endswith("-seed20240101")
    nested = default_name({**choices, "quantizer": "mine/half"}, {}, [])
    assert run_path(nested).as_posix() == "runs/bls2017-mine_half-photos"


def test_takes_up_the_same_configuration_and_no_other(tmp_path):
    path = tmp_path / "run"
    RunDirectory(path).open(config(), overwrite=False)
    RunDirectory(path).open(config(run="b", log_every=7), overwrite=False)
    with pytest.raises(ValueError, match=r"lmbda: 0.01 there, 0.02 asked; model.filters: 8 there"):
        RunDirectory(path).open(
            config(lmbda=0.02, model={"filters": 9, "_target_": "models.A"}), overwrite=False
        )
    RunDirectory(path).open(config(lmbda=0.02), overwrite=True)
    assert RunDirectory(path).load_config().lmbda == 0.02


def test_a_larger_number_of_steps_prolongs_where_it_may(tmp_path):
    path, seen = tmp_path / "run", []
    begun = config(steps=10, end="${steps}")
    RunDirectory(path).open(begun, False)
    left_by_a_kill = "results-after-10-steps/kodak"
    for folder in ("model", "best", "results", "checkpoints/step-10", "checkpoints/step-5",
                   left_by_a_kill):  # fmt: skip
        (path / folder).mkdir(parents=True)

    def refuse(saved, taken):
        seen.append((saved.steps, taken))
        raise ValueError("no")

    longer = config(steps=20, end="${steps}")
    with pytest.raises(ValueError, match="no"):
        RunDirectory(path).open(longer, False, refuse)
    assert seen == [(10, 10)] and RunDirectory(path).trained
    for other in (config(steps=5, end="${steps}"), config(steps=20, end=7)):
        with pytest.raises(ValueError, match="holds another run"):
            RunDirectory(path).open(other, False, lambda *_: None)
    RunDirectory(path).open(longer, False, lambda *_: None)
    assert RunDirectory(path).load_config().steps == 20
    names = {each.name for each in path.iterdir()}
    assert names == {".lock", "config.yaml", "checkpoints", "results-after-10-steps"}


def test_a_run_goes_on_with_the_files_that_it_was_begun_with(tmp_path):
    path, settings = tmp_path / "run", config(steps=10)

    def opens(files, settings=settings, overwrite=False):
        RunDirectory(path).open(settings, overwrite, lambda *_: None, files)

    opens("2 train")
    opens("3 train")  # No step is kept yet.
    (path / "checkpoints" / "step-5").mkdir(parents=True)
    opens("3 train")
    with pytest.raises(ValueError, match=r"started with other files \(3 train; now 2 train\)"):
        opens("2 train")
    opens("2 train", overwrite=True)
    (path / "checkpoints" / "step-10").mkdir(parents=True)
    (path / "model").mkdir()
    opens("3 train")  # Nothing is left to train.
    with pytest.raises(ValueError, match="started with other files"):
        opens("3 train", config(steps=20))
    assert (path / "model").exists(), "a run that is refused stays as it was"
    opens("2 train", config(steps=20))
    assert not (path / "model").exists()


def test_an_older_run_without_a_record_of_its_files_goes_on(tmp_path):
    path = tmp_path / "run"
    RunDirectory(path).open(config(steps=10), False)
    (path / "checkpoints" / "step-5").mkdir(parents=True)
    RunDirectory(path).open(config(steps=10), False, files="2 train")
    with pytest.raises(ValueError, match="started with other files"):
        RunDirectory(path).open(config(steps=10), False, files="3 train")


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(ValueError, match="is not a run directory"):
            RunDirectory(tmp_path).open(config(), overwrite=overwrite)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(FileNotFoundError, match="is not a run directory"):
        RunDirectory(tmp_path).load_config()


def test_one_process_at_a_time(tmp_path):
    first = RunDirectory(tmp_path / "run")
    first.open(config(), overwrite=False)
    with pytest.raises(ValueError, match="another process works there"):
        RunDirectory(tmp_path / "run").open(config(), overwrite=False)
    with pytest.raises(ValueError, match="another process works there"):
        RunDirectory(tmp_path / "run").open(config(), overwrite=True)


@pytest.mark.parametrize(
    ("overrides", "quantizer"),
    [
        (["quantizer=mixed"], "mixed"),
        (["quantizer=mixed", "quantizer@rate=ramp"], "mixed-rate_ramp"),
        (["quantizer@rate=ramp", "quantizer@decoder=sigmoid"], "rate_ramp-decoder_sigmoid"),
    ],
)
def test_a_run_is_named_after_the_quantizers_that_take_part(overrides, quantizer):
    choices = {"model": "m", "quantizer": "soft_round", "data": "d"}
    choices.update(dict(override.split("=") for override in overrides))
    node = OmegaConf.create({"runtime": {"choices": choices}, "overrides": {"task": overrides}})
    settings = OmegaConf.create({"run": None, "lmbda": 0.01, "steps": 5, "seed": 0})
    assert run_name(settings, node) == f"m-{quantizer}-d-lmbda0.01-steps5-seed0"
    assert run_name(OmegaConf.merge(settings, {"run": ""}), node) == "", "which is refused"


@pytest.mark.parametrize("experiment", ["compare_quantizers", "quantizer_table", "sweep_lmbda"])
def test_experiments_name_their_runs_after_the_quantizers_that_take_part(experiment):
    def name(*overrides):
        with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = hydra.compose(
                "train", [f"experiment={experiment}", *overrides], return_hydra_config=True
            )
        HydraConfig.instance().set_config(config)
        return config.run

    register_settings()
    plain = name("quantizer=soft_round")
    assert "soft_round" in plain
    with_rate = name("quantizer=soft_round", "quantizer@rate=mixed")
    assert with_rate == plain.replace("soft_round", "soft_round-rate_mixed")
    slots = ("quantizer@rate=mixed", "quantizer@decoder=soft_round")
    assert name(*slots) == plain.replace("soft_round", "rate_mixed-decoder_soft_round")


def test_another_quantizer_below_filled_slots_makes_another_name():
    def name(*overrides):
        choices = {"model": "m", "quantizer": "soft_round", "data": "d"}
        choices.update({"quantizer@rate": "ramp", "quantizer@decoder": "sigmoid"})
        node = {"runtime": {"choices": choices}, "overrides": {"task": list(overrides)}}
        settings = OmegaConf.create({"run": None, "lmbda": 0.01, "steps": 5, "seed": 0})
        return run_name(settings, OmegaConf.create(node))

    assert name() != name("quantizer=soft_then_hard")
