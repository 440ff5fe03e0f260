"""benchmarks/fuzz.py: hostile files are decoded or refused in bounded time and memory."""

import argparse
import pathlib
import random
import re
import sys

import pytest

from assembly.parts import build_model
from codec.container import CodedAudio, CodedImage, DamagedFile, ForeignFile, pack, unpack

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))
import fuzz
import fuzzed_models
import mutations

MODELS = ("audio/peaked", "hyperprior/lattice")


def test_hostile_files_are_refused(warm):
    """Every quantizer class is attacked in ``tests/codec``, where its model is there anyway."""
    result = warm("benchmarks/fuzz.py", "--files", 80, "--only", *MODELS)
    assert result.returncode == 0, result.stdout + result.stderr
    counts = re.search(
        r"80 files of 2 models: (\d+) DamagedFile, (\d+) ForeignFile, .*(\d+) decoded; slowest",
        result.stdout,
    )
    assert counts and min(map(int, counts.groups())) > 0, result.stdout


def test_the_small_form_of_every_model_can_be_built(model_name):
    """A setting that a YAML lacks ended a run of hours at that model."""
    overrides = next(
        value
        for key, value in fuzzed_models.configurations().items()
        if key.split("/")[0] == model_name
    )
    assert build_model(fuzzed_models._compose(overrides)).transforms.latent_channels <= 128


@pytest.mark.slow
def test_hostile_files_of_every_model_are_refused(warm):
    result = warm("benchmarks/fuzz.py", "--files", 6300, "--seed", 1)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_model_is_one_line(warm):
    result = warm("benchmarks/fuzz.py", "--only", "magic")
    assert result.returncode == 2
    assert "--only magic --files 100000 must be at least one model" in result.stderr


def test_the_same_command_continues_after_a_stop(tmp_path, monkeypatch, capsys):
    """The log has a row for each model that is done; a row that was cut short counts as none."""
    log, decoded = tmp_path / "build" / "fuzz.csv", []

    def decode(name, seed, first, files, watch):
        decoded.append(name)
        return fuzz.Share(name, seed, first, files, "3 DamagedFile, 2 decoded", 0.25, 7.0)

    monkeypatch.setattr(fuzz, "fuzz_model", decode)

    def run(names, files):
        options = argparse.Namespace(files=files, first=0, seed=1, log=str(log))
        fuzz.fuzz(names, options, watch=None)
        return capsys.readouterr().out

    assert "[1/2] a: 5 files, slowest 0.25 s" in run(["a", "b"], 10)
    log.write_text(log.read_text()[:-9])
    assert "(ETA 0 min)" in run(["a", "b", "c"], 15)
    assert decoded == ["a", "b", "b", "c"]
    total = "15 files of 3 models: 9 DamagedFile, 6 decoded; slowest 0.25 s of CPU time, memory"
    assert run(["a", "b", "c"], 15).startswith(total), "nothing is decoded again"
    run(["a"], 6)
    assert decoded[4:] == ["a"], "another share is another row"


@pytest.mark.parametrize("quality", [None, 5000])
@pytest.mark.parametrize("kind", [CodedImage, CodedAudio])
def test_containers_of_every_kind_are_changed_and_read_or_refused(kind, quality):
    """Without a model: sizes that the format cannot hold, too, become files."""
    sizes = (17, 90) if kind is CodedImage else (8000, 700, 2, 20)
    coded = kind(*sizes, bytes(range(60)), quality)
    fingerprint = b"12345678"
    original = mutations.Original(pack(coded, fingerprint), coded, [1, 2])
    read = 0
    for number in range(1000):
        data = mutations.mutant(original, random.Random(number))
        try:
            unpack(data, fingerprint, kind)
            read += 1
        except (DamagedFile, ForeignFile):
            pass
    assert 300 < read < 700
