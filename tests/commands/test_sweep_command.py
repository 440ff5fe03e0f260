"""train.py -m as a user runs it: a process a job, failures named, a kill and the same command."""

import csv
import importlib.util
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = [
    "experiment=compare_quantizers",
    "model.transforms.num_filters=4",
    "batch_size=2",
    "log_every=5",
    "checkpoint_every=100000",
    "test_images=1",
]


@pytest.fixture
def sweep(warm):
    """A sweep of runs in processes of their own."""
    return lambda folder, *overrides: warm("train.py", "-m", *SMALL, *overrides, cwd=folder)


def steps_seen(run):
    table = run / "training.csv"
    if not table.exists():
        return []
    with table.open() as file:
        return [int(row["step"]) for row in csv.DictReader(file) if row.get("step")]


def wait_for(condition, seconds=900):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def lock_is_free(run):
    import fcntl

    with (run / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def test_a_failing_job_is_named_the_others_are_kept_and_skipped(sweep, tmp_path):
    overrides = ("quantizer=mixed,uniform_noise", "lmbda=0.01", "seed=0", "steps=5")
    # 4 channels cannot be grouped by 8.
    done = sweep(tmp_path, "quantizer=mixed,lookup_free", *overrides[1:])
    assert done.returncode == 1, done.stderr
    good, bad = (f"compare-{name}-lmbda0.01-seed0" for name in ("mixed", "lookup_free"))
    lines = done.stdout.splitlines()
    assert lines[0].startswith("2 of 2 jobs to run, 2 at a time on this machine with 1 thread")
    assert lines[-1] == f"failed: {bad}"
    assert any(
        re.match(rf"\[\d/2\] {good}: \d\.\d+ bpp, .* loss .*\(\d+:\d\d, ETA", x) for x in lines
    )
    log = (tmp_path / "runs" / f"{bad}.log").read_text()
    assert "error: " in log and log.strip().splitlines()[-1] in done.stdout
    assert (tmp_path / "runs" / good / "results" / "photos-first1.txt").exists()
    assert not (tmp_path / "runs" / bad).exists()

    again = sweep(tmp_path, "quantizer=mixed", *overrides[1:])
    assert again.returncode == 0
    assert again.stdout.startswith(f"{good}: finished before\n0 of 1 jobs to run")
    more = sweep(tmp_path, "quantizer=mixed", *overrides[1:], "test_images=2")
    assert more.stdout.startswith("1 of 1 jobs to run"), "one file more"
    assert (tmp_path / "runs" / good / "results" / "photos.txt").exists()
    again = sweep(tmp_path, "quantizer=mixed", *overrides[1:], "test_images=2")
    assert again.stdout.startswith(f"{good}: finished before\n0 of 1 jobs to run")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle_the_same_command_resumes(start, tmp_path, signum):
    """Ctrl-C and a kill of the sweep alone: its runs write checkpoints and leave no process.

    Of Ctrl-C two runs know at once; the last run is never begun.
    """
    names = ["mixed", "uniform_noise", "ramp"] if signum == signal.SIGINT else ["mixed", "ramp"]
    limit = f"hydra.launcher.n_jobs={len(names) - 1}"
    overrides = (f"quantizer={','.join(names)}", "lmbda=0.01", "seed=0", "steps=3000")
    process = start("train.py", "-m", *SMALL, *overrides, limit, cwd=tmp_path)
    runs = [tmp_path / "runs" / f"compare-{name}-lmbda0.01-seed0" for name in names]
    last = runs.pop()
    wait_for(lambda: all(steps_seen(run) for run in runs))
    process.send_signal(signum)
    assert process.wait() == (130 if signum == signal.SIGINT else -signum)
    wait_for(lambda: all(lock_is_free(run) for run in runs))
    for run in runs:
        assert any((run / "checkpoints").iterdir()) and not (run / "model").exists()
    assert not last.exists()
    if signum == signal.SIGINT:
        assert "the same command resumes" in process.stdout
        again = (*SMALL, *overrides, "hydra.launcher.n_jobs=1")
        process = start("train.py", "-m", *again, cwd=tmp_path)
        log = runs[0].with_name(f"{runs[0].name}.log")
        wait_for(lambda: "resuming at step" in log.read_text())
        process.send_signal(signum)
        process.wait()


def test_two_jobs_of_one_run_directory_are_refused(sweep, tmp_path):
    done = sweep(tmp_path, "quantizer=mixed", "lmbda=0.01,0.02", "seed=0", "run=same")
    assert done.returncode == 2 and "is that of two jobs" in done.stderr
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_a_misspelt_choice_of_a_sweep_leaves_nothing_behind(sweep, tmp_path):
    done = sweep(tmp_path, "quantizer=mixd,uniform_noise", "lmbda=0.01", "seed=0")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "quantizer='mixd' must be one of" in done.stderr
    assert "did you mean 'mixed'?" in done.stderr
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_a_number_out_of_its_range_starts_no_job(sweep, tmp_path):
    done = sweep(tmp_path, "quantizer=mixed", "lmbda=0.01,-1", "seed=0")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "error: lmbda=-1.0 must be above 0" in done.stderr
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_a_table_that_cannot_be_written_starts_no_job(sweep, tmp_path):
    (tmp_path / "tables").mkdir()
    done = sweep(tmp_path, "quantizer=mixed", "lmbda=0.01", "hydra.launcher.table_file=tables")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "error: tables cannot be written: it is not a regular file." in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tables"], "nothing half-written"


def has(module):
    return pytest.mark.skipif(
        importlib.util.find_spec(module) is None, reason=f"the extra with {module} is not installed"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        pytest.param(
            ["hydra/launcher=slurm", "hydra.launcher.cluster=local", "hydra.launcher.threads=1"],
            marks=has("submitit"),
        ),
        pytest.param(["hydra/launcher=ray"], marks=has("ray")),
    ],
    ids=["submitit", "ray"],
)
def test_elsewhere_it_gives_what_it_gives_here(sweep, tmp_path, launcher):
    overrides = ("quantizer=mixed", "lmbda=0.01,-1", "seed=0", "steps=5")

    def rows(place, *more):
        folder = tmp_path / place
        folder.mkdir()
        done = sweep(folder, *overrides, *more)
        assert done.returncode == 1, done.stderr
        assert done.stdout.rstrip().endswith("failed: compare-mixed-lmbda-1.0-seed0"), done.stdout
        run = folder / "runs" / "compare-mixed-lmbda0.01-seed0"
        with (run / "results" / "photos-first1.csv").open() as file:
            return [
                {k: v for k, v in row.items() if not k.endswith("_seconds")}
                for row in csv.DictReader(file)
            ]

    assert rows("elsewhere", *launcher) == rows("here")


@pytest.mark.slow
@has("optuna")
def test_optuna_finds_the_better_of_its_trials(tmp_path):
    done = subprocess.run(
        [
            sys.executable, str(ROOT / "train.py"), "-m", "experiment=tune_alpha", *SMALL[1:],
            "steps=5", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=1",
        ],
        capture_output=True, text=True, timeout=600, cwd=tmp_path, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    losses = re.findall(r"loss (\d+\.\d+)", done.stdout)
    assert len(losses) == 3
    best = (tmp_path / "runs" / "optimization_results.yaml").read_text()
    assert f"best_value: {min(map(float, losses)):.2f}" in best
