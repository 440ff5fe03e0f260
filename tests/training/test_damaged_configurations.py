"""``config.yaml`` that a disk damaged: a copy takes its place, and nothing else is touched."""

import time

import pytest
from omegaconf import OmegaConf

from training.run_directory import RunDirectory
from training.run_names import find_runs
from training.saved_configuration import configuration_bytes
from training.settings import Settings

CONFIG = OmegaConf.create({"lmbda": 0.0125, "model": {"filters": 8}, "run": "é"})


@pytest.fixture
def run(tmp_path):
    """A directory as a killed run leaves it."""
    directory = RunDirectory(tmp_path / "run")
    directory.open(CONFIG, overwrite=False)
    checkpoint = directory.checkpoints / "step-20"
    checkpoint.mkdir(parents=True)
    (checkpoint / "config.yaml").write_bytes(directory.config_file.read_bytes())
    (checkpoint / "state.index").write_bytes(b"weights")
    return tmp_path / "run"


def opened(run, config=CONFIG, **settings):
    RunDirectory(run).open(config, **{"overwrite": False, **settings})
    assert (run / "checkpoints" / "step-20" / "state.index").exists()
    return (run / "config.yaml").read_bytes()


def test_a_whole_one_is_left_alone(run, capsys):
    before = (run / "config.yaml").stat().st_mtime_ns
    assert opened(run) == configuration_bytes(CONFIG)
    assert (run / "config.yaml").stat().st_mtime_ns == before
    assert capsys.readouterr().err == ""


def test_a_copy_takes_its_place(run, damage, damage_kind, capsys):
    damage(run / "config.yaml", damage_kind)
    assert RunDirectory(run).load_config() == CONFIG
    capsys.readouterr()
    assert opened(run) == configuration_bytes(CONFIG)
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1 and "step-20/config.yaml is a copy and is used" in warnings[0]
    assert opened(run) and capsys.readouterr().err == "", "it has been mended"


def test_other_settings_are_still_refused(run, damage, damage_kind):
    damage(run / "config.yaml", damage_kind)
    with pytest.raises(ValueError, match=r"lmbda: 0.0125 there, 0.02 asked"):
        opened(run, OmegaConf.merge(CONFIG, {"lmbda": 0.02}))


def test_without_a_copy_the_command_decides(run, damage, damage_kind, capsys):
    (run / "checkpoints" / "step-20" / "config.yaml").unlink()
    damage(run / "config.yaml", damage_kind)
    assert opened(run) == configuration_bytes(CONFIG)
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1 and "there is no copy" in warnings[0]


def test_without_a_copy_it_cannot_be_loaded(run, damage):
    (run / "checkpoints" / "step-20" / "config.yaml").unlink()
    damage(run / "config.yaml", "flipped")
    with pytest.raises(ValueError, match="and there is no copy"):
        RunDirectory(run).load_config()


@pytest.mark.parametrize("text", ["a: " + 3000 * "[", "a: " + 6000 * "9", "a: 1\na: 2", "[1]"])
def test_whatever_it_says_is_one_error(run, text):
    (run / "checkpoints" / "step-20" / "config.yaml").unlink()
    (run / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"config\.yaml is "):
        RunDirectory(run).load_config()


@pytest.mark.parametrize(
    "text, message",
    [
        ("a: &a 1", "is incomplete: it lacks data, model, optimizer, quantizer, seed, st"),
        ("a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n"
         for n in range(1, 12)), r"is no YAML of a run: aliases \(\*name\) are not supported"),
        ("[1]", "is no mapping of settings"),
        ("\n", "is empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_once(tmp_path, text, message):
    (tmp_path / "config.yaml").write_text(text)
    started = time.process_time()
    with pytest.raises(ValueError, match=message):
        RunDirectory(tmp_path).load_config()
    assert time.process_time() - started < 5, "aliases of aliases are not expanded"


def test_its_owner_may_edit_it(tmp_path):
    full = OmegaConf.create(dict.fromkeys(Settings.__dataclass_fields__, 1))
    RunDirectory(tmp_path).open(full, overwrite=False)
    first, *lines = (tmp_path / "config.yaml").read_text().splitlines()
    assert "delete this line to edit it" in first
    (tmp_path / "config.yaml").write_text("\n".join(lines).replace("data: 1", "data: 2"))
    assert RunDirectory(tmp_path).load_config().data == 2


@pytest.mark.parametrize("parent", ["[x]", "a*b", "q?"])
def test_runs_are_found_in_folders_of_any_name(tmp_path, parent):
    for name in ("run-1", "run-2", "[x]"):
        (tmp_path / parent / name).mkdir(parents=True)
    folder = tmp_path / parent
    assert [run.name for run in find_runs(str(folder / "run-*"))] == ["run-1", "run-2"]
    assert find_runs([str(folder / "[x]")]) == [folder / "[x]"]
