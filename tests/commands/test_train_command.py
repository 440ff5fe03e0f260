"""train.py as a user runs it: real processes, a real kill, one-line errors."""

import csv
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = [
    "model=bls2017",
    "model.transforms.num_filters=8",
    "data.patch_size=64",
    "batch_size=2",
    "steps=60",
    "log_every=5",
    "checkpoint_every=20",
    "test_images=1",
    "classical=[]",
]


@pytest.fixture
def train_warm(warm):
    """``train`` where no new process is asked for."""
    return lambda *overrides: warm("train.py", *SMALL, *overrides)


@pytest.fixture
def start_and_signal(start):
    """Starts a run and sends the signal once the log has shown a step."""

    def start_and_signal(run, signum, after_step, *overrides):
        process = start("train.py", *SMALL, f"run={run}", *overrides)
        process.wait_for_line(r"step +(\d+)/", lambda match: int(match[1]) >= after_step)
        process.send_signal(signum)
        return process.wait()

    return start_and_signal


def weights(run):
    reader = tf.train.load_checkpoint(str(run / "model" / "weights"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith("model/")
    }


def assert_same_weights(one, other):
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys() and len(ours) > 10
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """As a user starts it: in a new interpreter."""
    run = tmp_path_factory.mktemp("train") / "uninterrupted"
    command = [sys.executable, "train.py", *SMALL, f"run={run}", "classical=[JPEG,WebP]"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    return run, result


def test_ends_with_measured_files_a_table_and_a_figure(finished):
    run, result = finished
    assert re.search(r"step 60/60 .* PSNR .* images/s  ETA 0:00", result.stdout)
    assert "input pipeline alone" in result.stdout
    for heading in ("JPEG, nearest rate", "WebP, nearest rate", "MS-SSIM"):
        assert heading in result.stdout
    names = {path.name for path in (run / "results").iterdir()}
    suffixes = ("json", "csv", "png", "svg", "txt")
    assert names >= {f"photos-first1.{suffix}" for suffix in suffixes}, "one of two"
    with (run / "results" / "photos-first1.csv").open() as file:
        row = next(csv.DictReader(file))
    coded = next((run / "results" / "photos-first1").glob("*.rtc"))
    assert int(row["bits_coded"]) == 8 * coded.stat().st_size


def test_log_in_csv(finished):
    run, _ = finished
    with (run / "training.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(5, 61, 5))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_says_so_when_it_is_finished_and_refuses_other_settings(finished, train_warm):
    run, _ = finished
    again = train_warm(f"run={run}", "classical=[JPEG,WebP]")
    assert again.returncode == 0
    assert "training is finished (60 steps)" in again.stdout and "nearest rate" in again.stdout
    other = train_warm(f"run={run}", "lmbda=0.02")
    assert other.returncode == 2
    assert "lmbda: 0.013 there, 0.02 asked" in other.stderr and "overwrite=true" in other.stderr


def test_killed_in_the_middle_it_resumes_to_the_same_weights(
    finished, start_and_signal, fresh, tmp_path
):
    uninterrupted, _ = finished
    run = tmp_path / "killed"
    assert start_and_signal(run, signal.SIGKILL, after_step=30) == -signal.SIGKILL
    assert not (run / "model").exists()
    resumed = fresh("train.py", *SMALL, f"run={run}")
    assert resumed.returncode == 0, resumed.stderr
    assert re.search(r"resuming at step (20|40) of 60", resumed.stdout)
    assert_same_weights(uninterrupted, run)
    with (run / "training.csv").open() as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    assert steps == sorted(set(steps)), "steps taken again are logged once"


def test_killed_it_resumes_schedules_and_the_hard_stage_too(train_warm, start_and_signal, tmp_path):
    """What codebooks keep beside their weights, tests/quantizers/test_codebooks.py restores."""
    overrides = (
        "quantizer=soft_then_hard", "quantizer@decoder=gumbel",
        "lmbda_factor={_target_: quantizers.base.schedules.Linear, start: 4, end: 1, end_step: 50}",
    )  # fmt: skip
    uninterrupted = train_warm(f"run={tmp_path / 'whole'}", *overrides)
    assert uninterrupted.returncode == 0, uninterrupted.stderr
    run = tmp_path / "killed"
    assert start_and_signal(run, signal.SIGKILL, 50, *overrides) == -signal.SIGKILL
    assert train_warm(f"run={run}", *overrides).returncode == 0
    assert_same_weights(tmp_path / "whole", run)


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_keeps_the_step_it_was_at(
    finished, train_warm, start_and_signal, tmp_path, signum, status
):
    uninterrupted, _ = finished
    run = tmp_path / "interrupted"
    assert start_and_signal(run, signum, after_step=25) == status
    resumed = train_warm(f"run={run}")
    step = int(re.search(r"resuming at step (\d+) of 60", resumed.stdout)[1])
    assert step >= 25 and step != 40
    assert_same_weights(uninterrupted, run)


def test_overwrite_starts_anew(train_warm, tmp_path):
    run = tmp_path / "run"
    assert train_warm(f"run={run}", "steps=5").returncode == 0
    result = train_warm(f"run={run}", "steps=5", "seed=1", "overwrite=true")
    assert result.returncode == 0 and "step 5/5" in result.stdout


def test_a_finished_run_is_measured_as_the_command_asks(train_warm, tmp_path):
    run = tmp_path / "run"

    def results(*overrides):
        done = train_warm(f"run={run}", "steps=5", *overrides)
        assert done.returncode == 0, done.stderr
        return done.stdout

    results("test_images=5")
    assert "JPEG, nearest rate" in results("test_images=5", "classical=[JPEG]")
    assert "JPEG, nearest rate" in results("test_images=1", "classical=[JPEG]")
    names = {path.stem for path in (run / "results").glob("*.json")}
    assert names == {"photos", "photos-first1"}
    assert "encoded in" not in results("test_images=1"), "measured before"


def test_a_run_without_test_files_ends_well_and_its_evaluation_says_so(train_warm, warm, tmp_path):
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (70, 70)).save(tmp_path / "photos" / "only.png")
    data = ("data=image_folder", f"data.root={tmp_path / 'photos'}")
    run = f"run={tmp_path / 'run'}"
    for _ in range(2):
        result = train_warm(*data, run, "steps=2")
        assert result.returncode == 0, result.stderr
        assert "photos: the test split has no files, so none is measured." in result.stdout
    result = warm("evaluate.py", run, "classical=[]")
    assert result.returncode == 2
    assert result.stderr.startswith("error: split='test' of photos has no images to measure: ")
    result = warm("evaluate.py", run, "classical=[]", "split=train")
    assert result.returncode == 0, result.stderr


def test_overwrite_removes_nothing_but_runs(train_warm, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    result = train_warm(f"run={tmp_path}", "overwrite=true")
    assert result.returncode == 2 and "is not a run directory" in result.stderr
    assert (tmp_path / "thesis.tex").exists()


def test_a_run_that_took_no_step_leaves_what_was_there(train_warm, tmp_path):
    (tmp_path / "photos").mkdir()
    for name in "abcd":
        Image.new("RGB", (96, 96)).save(tmp_path / "photos" / f"{name}.png")
    whole = (tmp_path / "photos" / "a.png").read_bytes()
    for path in (tmp_path / "photos").iterdir():
        path.write_bytes(whole[:-30])  # A good header: the pixels are read when training starts.
    data = ("data=image_folder", f"data.root={tmp_path / 'photos'}")
    result = train_warm(f"run={tmp_path / 'new'}", *data)
    assert result.returncode == 2 and "cannot be decoded" in result.stderr, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    (tmp_path / "made").mkdir()
    assert train_warm(f"run={tmp_path / 'made'}", *data).returncode == 2
    assert (tmp_path / "made" / "config.yaml").exists(), "another command may have made it"


def test_two_processes_do_not_share_a_run(train_warm, start, tmp_path):
    run = tmp_path / "run"
    first = start("train.py", *SMALL, f"run={run}", "steps=100000")
    try:
        while not (run / "training.csv").exists():
            assert first.poll() is None
            time.sleep(0.2)
        second = train_warm(f"run={run}", "steps=100000")
        assert second.returncode == 2 and "another process works there" in second.stderr
    finally:
        first.kill()
        first.wait()


def test_divergence_stops_with_step_and_parameter_and_keeps_the_checkpoint(train_warm, tmp_path):
    run = tmp_path / "run"
    wild = ("optimizer.learning_rate=1e30", "optimizer.final_learning_rate=0")
    result = train_warm(f"run={run}", "checkpoint_every=1", "distortion=mse", *wild)
    assert result.returncode == 3
    assert re.search(r"error: step \d+: the gradient of \S+.* is not finite", result.stderr)
    assert re.search(r"Kept the checkpoint at step \d+", result.stderr)
    assert any((run / "checkpoints").iterdir()) and not (run / "model").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("lmbda=-0.01", "lmbda=-0.01 must be above 0"),
        ("lmbda=nan", "lmbda=nan must be above 0"),
        ("batch_size=0", "batch_size=0 must be at least 1"),
        ("steps=0", "steps=0 must be at least 1"),
        ("precision=float16", "precision='float16' must be one of auto, float32, bfloat16"),
        ("quantizer=rounding", "quantizer='rounding' must be one of .*soft_round, .*uniform_noise"),
        ("data.patch_size=40", "data.patch_size=40 must be a multiple of the model's 16"),
        ("distortion=ms_ssim", "data.patch_size=64 must be at least 161"),
        (
            "quantizer=soft_round quantizer.decoder.alpha=-2",
            "alpha=-2 of SoftRound must be at least 0",
        ),
        ("data=image_folder data.root=/no/such/folder", "/no/such/folder"),
    ],
)
def test_mistakes_are_one_line_with_status_2_and_leave_nothing(
    train_warm, tmp_path, override, message
):
    run = tmp_path / "run"
    result = train_warm(f"run={run}", *override.split())
    assert result.returncode == 2
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and re.search(message, lines[0]), result.stderr
    assert not run.exists()
