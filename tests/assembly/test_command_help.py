"""--help describes every key, from the comments in the YAML files and the docstrings."""

import pytest
import yaml

from assembly.choices import CONFIGS
from assembly.command_help import COLUMN, _entry, described, texts

FILES = [
    path
    for path in sorted(CONFIGS.rglob("*.yaml"))
    if path.parent.name not in ("configs", "experiment")
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_key_of_every_choice_is_described(path):
    node = yaml.safe_load(path.read_text())
    node.pop("defaults", None)
    introduction, comments = described(path)
    assert introduction[0], "a comment at the top says what it is"
    assert [name for name, _, text in texts(node, comments) if not text] == []


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_every_key_of_a_command_is_described(name):
    path = CONFIGS / f"{name}.yaml"
    _, comments = described(path)
    keys = set(yaml.safe_load(path.read_text())) - {"defaults", "hydra"}
    assert keys <= set(comments)


def test_help_of_train(warm):
    done = warm("train.py", "quantizer=soft_round", "steps=2500", "--help")
    assert done.returncode == 0 and done.stderr == ""
    for text in ("quantizer=soft_round", "choices as quantizer", "steps=2500 ", "training steps",
                 "quantizer.decoder.alpha.end=12.0", "hydra.launcher.n_jobs=1"):  # fmt: skip
        assert text in done.stdout
    assert "refinement" not in done.stdout, "another command's"


@pytest.mark.parametrize("length", [COLUMN - 5, COLUMN - 4, COLUMN - 3, COLUMN - 2, COLUMN])
def test_two_spaces_or_a_line_are_between_a_name_and_its_description(length):
    name = "n" * length
    between = _entry(name, "what it is").removeprefix(f"  {name}").removesuffix("what it is")
    is_beside = length <= COLUMN - 4
    assert between == (" " * (COLUMN - 2 - length) if is_beside else "\n" + " " * COLUMN)


def test_help_shows_the_keys_of_the_choices(warm, tmp_path):
    (tmp_path / "quantizer").mkdir()
    (tmp_path / "quantizer" / "mine.yaml").write_text(
        "# My own.\n_target_: quantizers.FiniteScalarQuantizer\nlevels: [3]   # for each channel\n"
    )
    done = warm("train.py", "--config-dir", tmp_path, "quantizer=mine", "lmbda=0.5", "--help")
    assert done.returncode == 0, done.stderr
    assert "mine, mixed" in done.stdout and "Settings of quantizer=mine: My own." in done.stdout
    assert "quantizer.levels=[3]" in done.stdout and "for each channel" in done.stdout
    assert "lmbda=0.5" in done.stdout


def test_help_of_evaluate(warm):
    done = warm("evaluate.py", "-h")
    assert done.returncode == 0, done.stderr
    assert "refinement=null" in done.stdout and "rdoq, sga" in done.stdout
    assert "n_jobs=1" in done.stdout and "lmbda" not in done.stdout
