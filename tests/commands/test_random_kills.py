"""Commands that are killed at random moments, then repeated: the same bytes as without the kill.

ROUNDTRIP_KILLS=50 pytest -m slow -s tests/commands/test_random_kills.py
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("ROUNDTRIP_KILLS", "5"))
"""Of each command."""

SETTINGS = [
    "model=bls2017",
    "model.transforms.num_filters=4",
    "data.patch_size=32",
    "batch_size=2",
    "steps=100",
    "log_every=5",
    "checkpoint_every=3",
    "test_images=3",
    "classical=[]",
]

pytestmark = pytest.mark.slow


def run(*command):
    """Runs a command to its end; returns the seconds that it took."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def kill(seconds, *command):
    """Starts a command, kills it, and returns the last line that it had printed."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    printed = process.stdout.read().decode().strip().splitlines()
    process.wait()
    return printed[-1][:60] if printed else "nothing printed yet"


def moments(seconds, seed):
    """Times at which to kill, evenly spread at random over a command's length."""
    rng = random.Random(seed)
    return [seconds * (number + rng.random()) / KILLS for number in range(KILLS)]


def weights(folder):
    reader = tf.train.load_checkpoint(str(folder / "model" / "weights"))
    return {n: reader.get_tensor(n).tobytes() for n in reader.get_variable_to_shape_map()
            if n.startswith("model/")}  # fmt: skip


def measured(folder):
    """What an evaluation leaves, without times."""
    document = json.loads((folder / "photos.json").read_text())
    points = {key: value for key, value in document["results"].items() if "time" not in key}
    coded = {path.name: path.read_bytes() for path in (folder / "photos").iterdir()}
    assert (folder / "photos.txt").read_text().endswith("\n")
    return points, coded


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills") / "whole"
    return folder, run("train.py", f"run={folder}", *SETTINGS)


def test_training_and_the_evaluation_at_its_end(trained, tmp_path, capsys):
    whole, seconds = trained
    for number, moment in enumerate(moments(seconds, seed=1)):
        folder = tmp_path / str(number)
        command = ("train.py", f"run={folder}", *SETTINGS)
        printed = kill(moment, *command)
        with capsys.disabled():
            print(f"\nkilled after {moment:.1f} of {seconds:.1f} s: {printed}")
        run(*command)
        assert weights(folder) == weights(whole)
        assert measured(folder / "results") == measured(whole / "results")
        assert not [path for path in folder.glob("**/.*") if path.is_dir()], "nothing half-written"


def test_evaluation(trained, tmp_path, capsys):
    whole, _ = trained
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    command = ("evaluate.py", f"run={folder}", "limit=3", "classical=[]")
    seconds = run(*command)
    expected = measured(folder / "results")
    for moment in moments(seconds, seed=2):
        shutil.rmtree(folder / "results")
        printed = kill(moment, *command)
        with capsys.disabled():
            print(f"\nkilled after {moment:.1f} of {seconds:.1f} s: {printed}")
        run(*command)
        assert measured(folder / "results") == expected


def test_comparison(tmp_path, capsys):
    published = sorted(str(path) for path in (ROOT / "results/kodak/classical").glob("*.json"))
    output = tmp_path / "comparison"
    command = ("scripts/compare.py", *published, "--anchor", "JPEG", "--output", str(output))

    def written():
        return {path.name: path.read_bytes() for path in output.glob("comparison.[jm]*")}

    seconds = run(*command)
    expected = written()
    assert len(expected) == 2
    for moment in moments(seconds, seed=3):
        shutil.rmtree(output)
        kill(moment, *command)
        with capsys.disabled():
            print(f"\nkilled after {moment:.1f} of {seconds:.1f} s: {len(written())} files")
        run(*command)
        assert written() == expected
