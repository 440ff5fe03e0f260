"""train.py on a run directory that a disk has damaged: each file, in each way.

The table that ``pytest -m slow -s`` prints says what the command did.
"""

import re
import shutil
import time

import pytest
import tensorflow as tf

from evaluation.report import read_tables

SETTINGS = [
    "model=bls2017",
    "model.transforms.num_filters=4",
    "data.patch_size=32",
    "batch_size=2",
    "steps=60",
    "log_every=1",
    "test_images=1",
    "classical=[]",
]

UNFINISHED = [
    "config.yaml",
    "training.csv",
    "validation.csv",
    ".lock",
    "events.*",
    "NEWEST/state.index",
    "NEWEST/state.data-00000-of-00001",
    "NEWEST/config.yaml",
    "NEWEST/SHA256SUMS",
]

TRAINED = [
    "config.yaml",
    "training.csv",
    "model/weights.index",
    "model/weights.data-00000-of-00001",
    "model/config.yaml",
    "model/SHA256SUMS",
    "checkpoints/step-60/state.index",
    "results/photos-first1.txt",
    "results/photos-first1.json",
    "results/photos-first1.csv",
]


@pytest.fixture(scope="module")
def train(warm):
    return lambda run: warm("train.py", f"run={run}", *SETTINGS, "checkpoint_every=1000")


@pytest.fixture(scope="module")
def finished(train, tmp_path_factory):
    # In a folder whose name is a pattern, as users have them.
    run = tmp_path_factory.mktemp("damaged") / "[x] a*(1)=é" / "run"
    result = train(run)
    assert result.returncode == 0, result.stderr
    return run


def newest(run):
    """Folders of the checkpoints, the newest first."""
    folders = (run / "checkpoints").glob("step-*")
    return sorted(folders, key=lambda path: -int(path.name.partition("-")[2]))


@pytest.fixture(scope="module")
def killed(start, tmp_path_factory):
    """A run that was killed when it had two checkpoints."""
    run = tmp_path_factory.mktemp("killed") / "run"
    process = start("train.py", f"run={run}", *SETTINGS, "checkpoint_every=2")
    while process.poll() is None and len(newest(run)) < 2:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (run / "model").exists()
    return run


def weights(run):
    reader = tf.train.load_checkpoint(str(run / "model" / "weights"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("model/")]
    assert len(names) > 10
    return {name: reader.get_tensor(name).tobytes() for name in names}


@pytest.fixture(scope="module")
def expected(finished, tmp_path_factory):
    plain = tmp_path_factory.mktemp("expected")
    shutil.copytree(finished / "model", plain / "model")
    return weights(plain)


def resumes(train, expected, run, capsys, *what):
    """Runs the command on a damaged run: it reaches the same weights with one warning at most."""
    result = train(run)
    # TensorFlow warns of a process that runs many commands.
    lines = result.stderr.splitlines()
    warnings = [line for line in lines if not line.startswith("WARNING:tensorflow:")]
    with capsys.disabled():
        said = "; ".join(warnings).replace(str(run), "RUN") or "no warning"
        print(f"\n| {' | '.join(what)} | exit status {result.returncode} | {said} |")
    assert result.returncode == 0 and len(warnings) <= 1, result.stderr
    assert all(line.startswith("warning: ") for line in warnings), result.stderr
    assert weights(run) == expected
    assert read_tables(run / "results" / "photos-first1.txt"), "results are whole"
    return result


@pytest.mark.slow
@pytest.mark.parametrize("name", UNFINISHED)
def test_an_unfinished_run(train, killed, expected, tmp_path, damage, name, damage_kind, capsys):
    run = tmp_path / "run"
    shutil.copytree(killed, run)
    last, before = (int(path.name.partition("-")[2]) for path in newest(run))
    damage(next(run.glob(name.replace("NEWEST", f"checkpoints/step-{last}"))), damage_kind)
    result = resumes(train, expected, run, capsys, "unfinished", name, damage_kind)
    assert f"resuming at step {last} of" in result.stdout or (
        name.startswith("NEWEST") and f"resuming at step {before} of" in result.stdout
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_run(train, finished, expected, tmp_path, damage, name, damage_kind, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    damage(run / name, damage_kind)
    resumes(train, expected, run, capsys, "trained", name, damage_kind)


def test_several_files_at_once(train, killed, expected, tmp_path, damage):
    run = tmp_path / "run"
    shutil.copytree(killed, run)
    last, before = newest(run)
    damage(last / "state.data-00000-of-00001", "truncated")
    damage(run / "training.csv", "empty")
    damage(run / "config.yaml", "empty")
    result = train(run)
    assert result.returncode == 0, result.stderr
    assert f"resuming at step {before.name.partition('-')[2]} of 60" in result.stdout
    warnings = re.findall("^warning: ", result.stderr, re.MULTILINE)
    assert len(warnings) == 3, f"a warning for each: {result.stderr}"
    assert weights(run) == expected
    damage(run / "model" / "weights.index", "flipped")
    assert "restoring it from the last checkpoint" in train(run).stderr
    assert weights(run) == expected
    assert train(run).stderr == "", "it has been mended"


def test_nothing_whole_is_left(train, finished, tmp_path, damage):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for folder in (run / "model", *newest(run)):
        damage(next(folder.glob("*.index")), "flipped")
    result = train(run)
    assert result.returncode == 2
    assert "no whole checkpoint" in result.stderr.splitlines()[-1]
    assert (run / "model").exists(), "nothing was deleted"
    (run / "model").rename(tmp_path / "model")
    result = train(run)
    assert result.returncode == 2 and len(result.stderr.splitlines()) == 1
    assert "step 60 is damaged" in result.stderr and "overwrite=true" in result.stderr
