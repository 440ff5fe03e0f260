"""benchmarks/fuzz.py: hostile files are decoded or refused in bounded time and memory."""

import re

import pytest

MODELS = ("audio/peaked", "hyperprior/lattice")


def test_hostile_files_are_refused(warm):
    """Every quantizer class is attacked in ``tests/codec``, where its model is there anyway."""
    result = warm("benchmarks/fuzz.py", "--files", 160, "--only", *MODELS)
    assert result.returncode == 0, result.stdout + result.stderr
    counts = re.search(
        r"160 files of 2 models: (\d+) DamagedFile, (\d+) ForeignFile, .*(\d+) decoded; slowest",
        result.stdout,
    )
    assert counts and min(map(int, counts.groups())) > 0, result.stdout


@pytest.mark.slow
def test_hostile_files_of_every_model_are_refused(warm):
    result = warm("benchmarks/fuzz.py", "--files", 6300, "--seed", 1)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_model_is_one_line(warm):
    result = warm("benchmarks/fuzz.py", "--only", "magic")
    assert result.returncode == 2
    assert "--only magic --files 100000 must be at least one model" in result.stderr
