"""Commands that are killed at random moments, and repeated, end in what they end in undisturbed.

Each is a process of its own, forked from one that has imported TensorFlow, so that 50 kills take
minutes. Moments are counted in CPU time: how busy the machine is does not shift them.
"""

import json
import os
import pathlib
import random
import re
import shutil
import time

import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]

KILLS = int(os.environ.get("ROUNDTRIP_KILLS", "50"))
"""Of all commands: 2 of 5 while training, 1 of 5 each of the others."""

SETTINGS = [
    "model=bls2017",
    "model.transforms.num_filters=4",
    "data.patch_size=32",
    "batch_size=2",
    "steps=40",
    "log_every=5",
    "checkpoint_every=3",
    "test_images=1",
    "classical=[]",
]

pytestmark = pytest.mark.slow


class Commands:
    """Runs commands in processes of their own, to the end or not."""

    def __init__(self, start):
        self._start = start

    def run(self, *command):
        """Runs a command to its end; returns the seconds of CPU time that it took."""
        process = self._start(*command)
        assert process.wait() == 0, process.stdout + process.stderr
        return process.cpu_seconds

    def kill(self, until, *command):
        """Kills a command when ``until(process)`` is true; returns the last line it had printed."""
        process = self._start(*command)
        while process.poll() is None and not until(process.pid):
            time.sleep(0.002)
        process.kill()
        status = process.wait()
        lines = process.stdout.strip().splitlines()
        return f"{'killed' if status < 0 else 'ended'} after {(lines or ['nothing'])[-1][:60]!r}"


def state(process):
    """The fields of /proc/PROCESS/stat that follow the name."""
    return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def cpu_time(seconds):
    """Whether a process has taken so many seconds of CPU time."""

    def is_reached(process):
        try:
            ticks = sum(map(int, state(process)[11:13]))
        except OSError:
            return True
        return ticks >= seconds * os.sysconf("SC_CLK_TCK")

    return is_reached


def moments(seconds, seed, share):
    """Times at which to kill, evenly spread at random over a command's length."""
    rng, count = random.Random(seed), max(1, round(KILLS * share))
    return [seconds * (number + rng.random()) / count for number in range(count)]


def weights(folder):
    reader = tf.train.load_checkpoint(str(folder / "model" / "weights"))
    return {n: reader.get_tensor(n).tobytes() for n in reader.get_variable_to_shape_map()
            if n.startswith("model/")}  # fmt: skip


def measured(folder):
    """What an evaluation leaves, without times."""
    (path,) = folder.glob("*.json")
    document = json.loads(path.read_text())
    points = {key: value for key, value in document["results"].items() if "time" not in key}
    coded = {path.name: path.read_bytes() for path in path.with_suffix("").iterdir()}
    assert path.with_suffix(".txt").read_text().endswith("\n")
    return points, coded


@pytest.fixture(scope="module")
def commands(start):
    return Commands(start)


@pytest.fixture(scope="module")
def trained(commands, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills") / "whole"
    return folder, commands.run("train.py", f"run={folder}", *SETTINGS)


@pytest.fixture
def show(capsys):
    def show(text):
        with capsys.disabled():
            print(f"\n{text}", end="", flush=True)

    return show


def half_written(folder):
    """What a command works on before it gets its name."""
    return [path for path in folder.glob("**/.*") if path.is_dir()]


def check_trained(commands, folder, whole):
    commands.run("train.py", f"run={folder}", *SETTINGS)
    assert weights(folder) == weights(whole)
    assert measured(folder / "results") == measured(whole / "results")
    assert not half_written(folder)


def test_training_and_the_evaluation_at_its_end(commands, trained, tmp_path, show):
    whole, seconds = trained
    for number, moment in enumerate(moments(seconds, seed=1, share=0.4)):
        folder = tmp_path / str(number)
        last = commands.kill(cpu_time(moment), "train.py", f"run={folder}", *SETTINGS)
        left = [path.name for path in half_written(folder)]
        show(f"training, {moment:.2f} of {seconds:.2f} s: {last}, half-written {left}")
        check_trained(commands, folder, whole)
        shutil.rmtree(folder)


def test_checkpoints_that_are_being_written(commands, trained, tmp_path, show):
    """Kills while the temporary folder of a checkpoint is there, from its start to its end."""
    whole, seconds = trained
    rng = random.Random(4)
    for number in range(len(moments(seconds, seed=4, share=0.2))):
        folder = tmp_path / str(number)
        seen = set()
        wanted, wait = rng.randint(1, 10), rng.random() * 0.03

        def is_writing(process, seen=seen, wanted=wanted, wait=wait, folder=folder):
            seen.update(path.name for path in folder.glob("checkpoints/.*") if path.is_dir())
            if len(seen) < wanted:
                return False
            time.sleep(wait)
            return True

        last = commands.kill(is_writing, "train.py", f"run={folder}", *SETTINGS)
        left = [path.name for path in half_written(folder)]
        show(f"checkpoint {len(seen)} and {1000 * wait:.0f} ms: {last}, half-written {left}")
        check_trained(commands, folder, whole)
        shutil.rmtree(folder)


def test_evaluation(commands, trained, tmp_path, show):
    whole, _ = trained
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    command = ("evaluate.py", f"run={folder}", "limit=2", "classical=[]")
    shutil.rmtree(folder / "results")
    seconds = commands.run(*command)
    expected = measured(folder / "results")
    for moment in moments(seconds, seed=2, share=0.2):
        shutil.rmtree(folder / "results")
        last = commands.kill(cpu_time(moment), *command)
        show(f"evaluation, {moment:.2f} of {seconds:.2f} s: {last}")
        commands.run(*command)
        assert measured(folder / "results") == expected


def test_comparison(commands, tmp_path, show):
    published = sorted(str(path) for path in (ROOT / "results/kodak/classical").glob("*.json"))
    output = tmp_path / "comparison"
    command = ("scripts/compare.py", *published, "--anchor", "JPEG", "--output", str(output))

    def written():
        files = {path.name: path.read_text() for path in output.glob("comparison.[jm]*")}
        return {name: re.sub('"date": ".*"', "", text) for name, text in files.items()}

    seconds = commands.run(*command)
    expected = written()
    assert len(expected) == 2
    for moment in moments(seconds, seed=3, share=0.2):
        shutil.rmtree(output)
        last = commands.kill(cpu_time(moment), *command)
        show(f"comparison, {moment:.2f} of {seconds:.2f} s: {last}, {len(written())} files")
        commands.run(*command)
        assert written() == expected
