"""train.py on a run directory that a disk has damaged: each file, in each way.

The table that ``pytest -m slow -s`` prints says what the command did.
"""

import shutil

import pytest
import tensorflow as tf

SETTINGS = [
    "model.transforms.num_filters=4",
    "data.patch_size=32",
    "batch_size=2",
    "steps=6",
    "log_every=1",
    "checkpoint_every=2",
    "test_images=1",
    "classical=[]",
]

WHILE_TRAINING = [
    "config.yaml",
    "training.csv",
    "validation.csv",
    ".lock",
    "tensorboard/*",
    "checkpoints/step-6/state.index",
    "checkpoints/step-6/state.data-00000-of-00001",
    "checkpoints/step-6/config.yaml",
    "checkpoints/step-6/SHA256SUMS",
    "checkpoints/step-4/state.index",
]

WHEN_TRAINED = [
    "config.yaml",
    "training.csv",
    "model/weights.index",
    "model/weights.data-00000-of-00001",
    "model/config.yaml",
    "model/SHA256SUMS",
    "checkpoints/step-6/state.index",
    "results/photos.txt",
    "results/photos.json",
    "results/photos.csv",
]


@pytest.fixture(scope="module")
def train(warm):
    return lambda run: warm("train.py", f"run={run}", *SETTINGS)


@pytest.fixture(scope="module")
def finished(train, tmp_path_factory):
    # A folder whose name is a pattern, as users have them.
    run = tmp_path_factory.mktemp("damaged") / "[x] a*(1)=é" / "run"
    result = train(run)
    assert result.returncode == 0, result.stderr
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


def resumes(train, expected, run, capsys, what):
    """Runs the command on a damaged run; it reaches the same weights with one warning at most."""
    result = train(run)
    warnings = [line for line in result.stderr.splitlines() if "warning: " in line]
    with capsys.disabled():
        said = warnings[0].replace(str(run), "RUN") if warnings else ""
        print(f"| {' | '.join(what)} | {result.returncode} | {said} |")
    assert result.returncode == 0, result.stderr
    assert len(warnings) <= 1 and "Traceback" not in result.stderr
    assert weights(run) == expected
    assert (run / "results" / "photos.txt").read_text().endswith("\n")
    assert train(run).stderr == "", "it has been mended"


@pytest.mark.slow
@pytest.mark.parametrize("name", WHILE_TRAINING)
def test_an_unfinished_run(train, finished, expected, tmp_path, damage, name, damage_kind, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    shutil.rmtree(run / "model")
    shutil.rmtree(run / "results")
    damage(next(run.glob(name)), damage_kind)
    resumes(train, expected, run, capsys, ("training", name, damage_kind))


@pytest.mark.slow
@pytest.mark.parametrize("name", WHEN_TRAINED)
def test_a_trained_run(train, finished, expected, tmp_path, damage, name, damage_kind, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    damage(next(run.glob(name)), damage_kind)
    resumes(train, expected, run, capsys, ("trained", name, damage_kind))


def test_several_files_at_once(train, finished, expected, tmp_path, damage):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    damage(run / "model" / "weights.index", "flipped")
    damage(run / "checkpoints" / "step-6" / "state.data-00000-of-00001", "truncated")
    damage(run / "training.csv", "empty")
    damage(run / "config.yaml", "empty")
    result = train(run)
    assert result.returncode == 0 and "resuming at step 4 of 6" in result.stdout, result.stderr
    assert len(result.stderr.splitlines()) == 4, "a warning for each"
    assert weights(run) == expected


def test_nothing_whole_is_left(train, finished, tmp_path, damage):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for path in (run / "model", *(run / "checkpoints").iterdir()):
        damage(next(path.glob("*.index")), "flipped")
    result = train(run)
    assert result.returncode == 2
    assert "no whole checkpoint" in result.stderr.splitlines()[-1]
    assert (run / "model").exists(), "nothing was deleted"
    (run / "model").rename(tmp_path / "model")
    result = train(run)
    assert result.returncode == 2 and len(result.stderr.splitlines()) == 1
    assert "step 6 is damaged" in result.stderr and "overwrite=true" in result.stderr
