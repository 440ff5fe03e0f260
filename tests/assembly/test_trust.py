"""A stranger's run directory calls nothing, and reads nothing of the reader's environment."""

import pathlib

import hydra
import pytest
from omegaconf import OmegaConf

from assembly.choices import CONFIGS
from assembly.parts import saved_form
from assembly.saved_run import load_run, trusted_config
from assembly.trust import check_trusted, named_folders, targets_named, targets_of
from training.older_configurations import up_to_date
from training.run_directory import RunDirectory
from training.saved_configuration import configuration_bytes
from training.saved_values import check_references

SAVED = OmegaConf.load(pathlib.Path(__file__).parents[1] / "training" / "saved_0_1_0.yaml")


@pytest.fixture
def run(tmp_path):
    """``run(**{"quantizer.decoder": node})``: a run directory with a stranger's values."""

    def run(**values):
        config = OmegaConf.create({"steps": 10, "seed": 3})
        for name, value in values.items():
            OmegaConf.update(config, name, value)
        path = tmp_path / "run"
        path.mkdir(exist_ok=True)
        (path / "config.yaml").write_bytes(configuration_bytes(config))
        return path

    return run


def assert_refused(path, message):
    with pytest.raises(ValueError, match=message) as caught:
        load_run(str(path))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("where", ["quantizer", "quantizer.decoder", "quantizer.rate.seed",
                                   "entropy", "model", "model.transforms.precision", "data",
                                   "distortion", "optimizer", "lmbda_factor", "decoder",
                                   "hyper_quantizer", "seed", "anything"])  # fmt: skip
@pytest.mark.parametrize("form", [lambda node: node, lambda node: [{"a": [node]}]])
def test_nothing_is_called_wherever_it_is_named(run, tmp_path, where, form):
    call = {"_target_": "pathlib.Path.touch", "self": str(tmp_path / "touched")}
    path = run(**{where: form(call)})
    assert_refused(path, r"_target_='pathlib\.Path\.touch' is no .* --config-dir")
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("where", "target"),
    [
        ("quantizer", "numpy.load"),
        ("quantizer", "data.TonesAudio"),  # A part, but of another group, which writes files.
        ("model", "training.optimizers.adam"),
        ("entropy", "quantizers.base.schedules._Ramp"),
        ("entropy", "entropy.fitting.__builtins__.exec"),
        ("quantizer", "hydra_plugins.roundtrip_launcher.SweepLauncher"),
        ("quantizer.decoder", "${run}"),
        ("quantizer.decoder", ["quantizers", "StraightThrough"]),
    ],
)
def test_only_the_parts_of_a_group_are_called(run, where, target):
    assert_refused(run(**{where: {"_target_": target}}), "_target_=")


def test_every_choice_of_the_project_is_trusted():
    for group in ("data", "distortion", "entropy", "model", "optimizer", "quantizer"):
        nodes = [OmegaConf.load(path) for path in (CONFIGS / group).glob("*.yaml")]
        check_trusted(OmegaConf.create({group: nodes}))
    check_trusted(OmegaConf.create(dict.fromkeys(("decoder", "rate", "hyper_quantizer"), nodes)))


def test_every_choice_of_older_runs_is_trusted():
    choices = OmegaConf.to_container(SAVED.choices)
    check_references(choices)
    with pytest.raises(ValueError, match="_target_="):
        check_trusted(OmegaConf.create(choices))  # Under names from before they moved.
    check_trusted(OmegaConf.create(up_to_date(choices)))


@pytest.mark.parametrize("name", ["Constant", "Linear", "Exponential", "Cosine", "Step"])
def test_a_schedule_may_stand_for_any_number(compose, name):
    node = f"{{_target_: quantizers.base.schedules.{name}}}"
    check_trusted(
        compose("quantizer=soft_round", f"lmbda_factor={node}", f"quantizer.decoder.alpha={node}")
    )


def test_a_folder_that_the_user_names_is_trusted(run, tmp_path):
    own = tmp_path / "own" / "quantizer" / "mine.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("_target_: my_package.Mine\ndecoder: {_target_: my_package.Surrogate}\n")
    path = run(quantizer={"_target_": "my_package.Mine"})
    assert_refused(path, "my_package.Mine")
    trusted = targets_named(str(tmp_path / "own"))
    assert trusted == {"my_package.Mine", "my_package.Surrogate"}
    assert trusted_config(RunDirectory(path), trusted).quantizer._target_ == "my_package.Mine"
    with pytest.raises(ValueError, match=r"os\.remove"):
        trusted_config(RunDirectory(run(entropy={"_target_": "os.remove"})), trusted)


def test_what_a_command_named_itself_is_trusted(compose):
    config = compose("quantizer.decoder={_target_: my_package.Mine}")
    assert "my_package.Mine" in targets_of(config)
    check_trusted(config, targets_of(config))


def test_hydras_folders_are_those_of_the_user(tmp_path):
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = hydra.compose(
            "evaluate", [f"hydra.searchpath=[file://{tmp_path}]"], return_hydra_config=True
        )
    assert named_folders(config.hydra) == [str(tmp_path)]


@pytest.mark.parametrize(
    "value",
    [
        "${oc.env:SECRET}",
        "a ${oc.env:SECRET}",
        "${${run}:SECRET}",
        "${oc.${run}:SECRET}",
        "${oc.env:SECRET,${seed}}",
        "${oc.select:seed,${oc.env:SECRET}}",
        "${oc.select:nothing,{_target_: os.getcwd}}",
        "${oc.create:{_target_: os.getcwd}}",
        "${oc.decode:'${oc.env:SECRET}'}",
        "${oc.deprecated:seed}",
        "${share_of:0.5,${oc.env:SECRET}}",
        "${now:%Y}",
        "\\${oc.env:SECRET}",
    ],
)
@pytest.mark.parametrize("where", ["run", "data.patch_size", "quantizer.decoder.alpha.start"])
def test_nothing_of_the_environment_is_read(run, monkeypatch, where, value):
    monkeypatch.setenv("SECRET", "s3cret")
    path = run(**{where: value})
    assert_refused(path, "may refer to its own settings only")


def test_own_references_still_work(run):
    references = {
        "quantizer.decoder.alpha.end_step": "${share_of:0.5,${steps}}",
        "quantizer.rate.seed": "${seed}",
        "model.sample_rate": "${oc.select:data.sample_rate}",
        "lmbda_factor": "${oc.select:nothing,1}",
    }
    config = trusted_config(RunDirectory(run(**references)))
    assert config.quantizer == {"decoder": {"alpha": {"end_step": 5}}, "rate": {"seed": 3}}
    assert config.model.sample_rate is None and config.lmbda_factor == 1


def test_a_run_of_ones_own_is_saved_with_the_values(compose, tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOS", "/photos")
    config = compose("data=image_folder", "data.root=[${oc.env:PHOTOS}/a,/b]", "run=x${seed}")
    directory = RunDirectory(tmp_path / "run")
    directory.open(saved_form(config), overwrite=False)
    saved = directory.load_config()
    assert saved.data.root == ["/photos/a", "/b"] and saved.run == "x0"
    raw = OmegaConf.to_container(saved)
    assert raw["quantizer"]["rate"]["seed"] == "${seed}"
    assert directory.differences(saved_form(config)) == []


@pytest.mark.parametrize("name", ["huggingface:glue/x", "someone:data"])
def test_no_dataset_brings_its_code(run, name):
    data = {"_target_": "data.TfdsImages"}
    assert_refused(run(data={**data, "name": name}), "dataset with code of its own")
    for own in ("clic", "mnist:3.0.1", "a/b:1.0.0"):
        assert trusted_config(RunDirectory(run(data={**data, "name": own}))).data.name == own
