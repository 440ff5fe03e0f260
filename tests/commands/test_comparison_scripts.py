"""Comparisons of many runs: a process a run, finished ones kept, failures named.

What happens to runs that fail, and to those of a sweep that is stopped, the tests of
``train.py -m`` show, which runs these.
"""

import pathlib
import subprocess
import sys

import pytest
from omegaconf import OmegaConf

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = [
    "model.transforms.num_filters=12",
    "data.patch_size=64",
    "batch_size=2",
    "steps=6",
    "log_every=3",
    "test_images=1",
    "classical=[]",
]


@pytest.fixture
def script(warm):
    """A script by its name; its runs are processes of their own."""
    return lambda name, *arguments: warm(f"scripts/{name}", *arguments)


def test_table_of_the_quantizers_that_do_not_fail(script, tmp_path):
    # lookup_free cannot group 12 channels by 8.
    names = ("finite_scalar", "uniform_noise", "lookup_free")
    done = script("quantizer_table.py", tmp_path, "--only", ",".join(names), *SMALL)
    assert done.returncode == 1, done.stderr
    assert "failed: lookup_free" in done.stdout
    assert "12" in (tmp_path / "lookup_free.log").read_text()
    table = (tmp_path / "table.txt").read_text()
    assert table in done.stdout
    rows = {line.split("`")[1]: line for line in table.splitlines() if "`" in line}
    assert set(rows) == {"finite_scalar", "uniform_noise"}
    assert rows["uniform_noise"].endswith("| 1.00 |")
    fixed_length = {name: row.split("|")[6].strip() for name, row in rows.items()}
    assert fixed_length["uniform_noise"] == "" and float(fixed_length["finite_scalar"]) > 0
    before = (tmp_path / "finite_scalar" / "training.csv").read_text()
    again = script("quantizer_table.py", tmp_path, "--only", ",".join(names[:2]), *SMALL)
    assert again.returncode == 0 and again.stdout.endswith(done.stdout.split("\n\n")[-1])
    assert (tmp_path / "finite_scalar" / "training.csv").read_text() == before, "finished runs stay"


def test_an_unknown_quantizer_is_one_line(script, tmp_path):
    done = script("quantizer_table.py", tmp_path / "folder", "--only", "mixed,nosuch")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "quantizer='nosuch' must be one of annealed_noise," in done.stderr
    assert not list(tmp_path.iterdir()), "nothing half-written"


@pytest.mark.slow
def test_sweep_of_alpha_ranks_all_schedules(tmp_path):
    small = [override.replace("steps=6", "steps=8") for override in SMALL]
    command = [sys.executable, str(ROOT / "scripts" / "sweep_alpha.py"), str(tmp_path), *small]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    ranking = (tmp_path / "ranking.txt").read_text()
    rows = [line.split("|")[1:3] for line in ranking.splitlines()[2:]]
    losses = [float(row[1]) for row in rows]
    assert len(losses) == 9 and losses == sorted(losses)
    shares = [f"by-{share}%" for share in (50, 75, 100)]
    names = {f"{kind}-1-16-{share}" for kind in ("linear", "exponential") for share in shares}
    names |= {f"constant-{alpha}" for alpha in (3, 7, 15)}
    assert {row[0].strip(" `") for row in rows} == names
    config = OmegaConf.load(tmp_path / "exponential-1-16-by-50%" / "config.yaml")
    alpha = config.quantizer.decoder.alpha
    assert (alpha.start, alpha.end, alpha.start_step, alpha.end_step) == (1, 16, 0, 4)
