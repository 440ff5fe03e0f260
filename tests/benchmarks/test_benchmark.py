"""benchmarks/benchmark.py: TFC's scripts train in processes of their own."""

import pathlib
import re
import subprocess
import sys

import pytest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


def benchmark(*options):
    command = [sys.executable, str(SCRIPTS / "benchmark.py"), *options]
    return subprocess.run(command, capture_output=True, text=True)


def test_unknown_words_are_refused(fresh):
    done = fresh("benchmarks/benchmark.py", "--models", "bls2017,vae")
    assert done.returncode == 2
    assert "--models=bls2017,vae: must be among bls2017, factorized, hyperprior." in done.stderr


def test_a_process_that_fails_ends_the_benchmark(monkeypatch, capfd):
    pytest.importorskip("tensorflow_compression")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from tfc_processes import tfc_steps

    ended = pytest.raises(SystemExit, match="vae published ended with status 1")
    with ended, tfc_steps("vae") as steps:
        steps["TFC's script"]()
    assert "KeyError: 'vae'" in capfd.readouterr().err


@pytest.mark.slow
def test_training_is_compared_with_the_published_script_and_with_our_settings():
    pytest.importorskip("tensorflow_compression")
    done = benchmark("--parts", "train", "--models", "bls2017", "--rounds", "1")
    assert not done.returncode, done.stderr
    rows = {line[:26].strip(): line[26:].split() for line in done.stdout.splitlines()}
    speeds = [float(rows[name][0]) for name in ("TFC's script", "TFC's, our settings", "float32")]
    for speed, name in zip(speeds, ("TFC's script", "TFC's, our settings", "float32")):
        assert [float(word) for word in rows[name][1:3]] == pytest.approx(
            [speed / speeds[0], speed / speeds[1]], rel=0.05
        )


@pytest.mark.slow
def test_the_default_job_is_compared_with_its_step():
    done = benchmark("--parts", "pipeline", "--rounds", "1")
    assert not done.returncode, done.stderr
    pattern = r"default job: ([\d.]+) images/s, its step alone ([\d.]+) \((\d+)%\)"
    job, step, share = map(float, re.search(pattern, done.stdout).groups())
    assert share == pytest.approx(100 * job / step, abs=1.5)
