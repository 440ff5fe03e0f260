"""Provenance: enough to repeat a result, nothing about whose machine it was."""

from __future__ import annotations

import json
import pathlib
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from evaluation import provenance as module
from evaluation.provenance import provenance


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


def test_names_versions_machine_and_date():
    record = provenance(seed=3)
    assert record["packages"]["tensorflow"] == tf.__version__
    assert record["packages"]["numpy"] == np.__version__
    assert record["machine"]["cores"] >= 1
    assert record["machine"]["cpu"]
    assert record["date"].endswith("+00:00")
    assert record["seed"] == 3


def test_holds_no_absolute_path(tmp_path):
    config = {"data": {"root": "/home/somebody/kodak"}, "files": ["C:\\Users\\x\\a.png"]}
    text = json.dumps(provenance(config=config, run=tmp_path / "runs" / "one"))
    assert json.loads(text)["config"] == {"data": {"root": "kodak"}, "files": ["a.png"]}
    assert json.loads(text)["run"] == "one"
    assert "somebody" not in text
    assert str(tmp_path) not in text
    assert str(pathlib.Path.home()) not in text


def test_values_that_are_no_paths_pass_unchanged():
    config = {"lmbda": 0.013, "steps": 10, "levels": None, "on": True, "name": "image_folder/a"}
    assert provenance(config=config)["config"] == config


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("a = 1\n")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_git_commit_and_dirty_flag(checkout):
    state = module._git_state(checkout)
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (checkout / "a.py").write_text("a = 2\n")
    assert module._git_state(checkout) == {"commit": state["commit"], "dirty": True}


def test_outside_a_checkout_there_is_no_commit(tmp_path):
    assert module._git_state(tmp_path) is None


def test_somebody_elses_repository_is_not_ours(checkout):
    (checkout / "site-packages").mkdir()
    assert module._git_state(checkout / "site-packages") is None
