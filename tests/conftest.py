"""Settings of the whole suite."""

import contextlib
import copy
import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from processor.process import set_process

set_process()  # As every command does, before TensorFlow is imported.

ROOT = pathlib.Path(__file__).resolve().parent.parent

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
if "PYTEST_XDIST_WORKER" in os.environ:  # Workers, and the commands they start, share the cores.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
# Prepared datasets stay in the checkout, out of the user's own.
os.environ.setdefault("TFDS_DATA_DIR", str(ROOT / "build" / "tfds"))


WORKER_BYTES = 3 * 2**30
"""A worker of pytest-xdist with the commands that its tests start."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """What ``-n auto`` is: a worker for each core that this process may use and memory allows."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(cores, memory // WORKER_BYTES))


LONGEST = (
    "commands/test_train_command.py", "commands/test_sweep_command.py",
    "commands/test_audio_commands.py", "benchmarks/test_exactness.py", "test_readme.py",
    "models/test_autoencoder.py", "models/test_whole_images.py", "roundtrip/test_pages.py",
    "quantizers/test_contract.py", "commands/test_file_commands.py", "training/test_step.py",
    "training/test_distribution.py", "test_extending.py", "test_published_tables.py",
)  # fmt: skip
"""Files that take a worker long: begun last, they would keep it busy while the others wait."""


def pytest_collection_modifyitems(items):
    """Workers begin with the longest files."""
    longest = {str(ROOT / "tests" / name) for name in LONGEST}
    items.sort(key=lambda item: str(item.path) not in longest)


def config_names(group):
    """Choices of a configuration group: a contract test finds a new file by its being there."""
    return sorted(path.stem for path in (ROOT / "configs" / group).glob("*.yaml"))


def quantizer_target(name):
    """The class that a quantizer's YAML names."""
    text = (ROOT / "configs" / "quantizer" / f"{name}.yaml").read_text()
    return re.search(r"^_target_: (\S+)", text, re.MULTILINE)[1]


def quantizer_kinds():
    """The first YAML of each class of quantizers: the others of a class differ while training."""
    kinds = {}
    for name in config_names("quantizer"):
        kinds.setdefault(quantizer_target(name), name)
    return list(kinds.values())


def scalar_quantizers():
    """The YAMLs that fill the slots of the quantizer that rounds to the nearest integer."""
    names = config_names("quantizer")
    return [name for name in names if quantizer_target(name) == "quantizers.ScalarQuantizer"]


def pytest_generate_tests(metafunc):
    """A test that takes ``quantizer_name`` runs once for each YAML of the group.

    One that takes ``quantizer_kind`` runs once for each class, one that takes ``scalar_name`` once
    for each quantizer that rounds to the nearest integer; ``damage_kind`` is for ``damage``.
    """
    if "quantizer_kind" in metafunc.fixturenames:
        metafunc.parametrize("quantizer_kind", quantizer_kinds())
    if "scalar_name" in metafunc.fixturenames:
        metafunc.parametrize("scalar_name", scalar_quantizers())
    if "damage_kind" in metafunc.fixturenames:
        metafunc.parametrize("damage_kind", ["missing", "empty", "truncated", "flipped"])
    for group in ("quantizer", "model", "entropy", "distortion", "optimizer", "refinement"):
        if f"{group}_name" in metafunc.fixturenames:
            metafunc.parametrize(f"{group}_name", config_names(group))


@pytest.fixture(scope="session")
def damage():
    """``damage(path, kind)``: what a disk may do to a file."""

    def damage(path, kind):
        content = path.read_bytes()
        half = len(content) // 2
        if kind == "missing":
            path.unlink()
        elif kind == "empty":
            path.write_bytes(b"")
        elif kind == "truncated":
            path.write_bytes(content[:half])
        else:
            changed = bytes(byte ^ 0x04 for byte in content[half : half + 1])
            path.write_bytes(content[:half] + changed + content[half + 1 :])

    return damage


@pytest.fixture(scope="session", autouse=True)
def schemas():
    """Registers what the primary configurations refer to, as the commands do."""
    from evaluation.settings import register_evaluation_settings
    from training.settings import register_settings

    register_settings()
    register_evaluation_settings()


@functools.cache
def composed(overrides):
    import hydra

    with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return hydra.compose("train", overrides=list(overrides))


@pytest.fixture(scope="session")
def refuses_damage():
    """``refuses_damage(codec, data)``: changed files decode or are refused, as documented."""
    sys.path.append(str(ROOT / "benchmarks"))
    import fuzz
    import fuzzed_models

    def check(codec, data, files=8):
        original = fuzzed_models.original_of(codec, data)
        for _, changed in fuzz.mutants([original], codec.name, range(files)):
            fuzz.outcome(codec, changed)

    return check


@pytest.fixture(scope="session")
def compose():
    """``compose("quantizer=mixed", ...)``: the configuration that train.py would see.

    Unless a model or an experiment is named, or ``small=False``, the model is ``bls2017``.
    """

    def make(*overrides, small=True):
        if small and not any(text.startswith(("model=", "experiment=")) for text in overrides):
            overrides = ("model=bls2017", *overrides)
        # Hundreds of tests ask for the same few, and to compose takes 100 times as long as to copy.
        return copy.deepcopy(composed(overrides))

    return make


@pytest.fixture(scope="session")
def save_run():
    """``save_run(config, path)``: a run directory as a whole training leaves it; the model.

    It is untrained, and ``change(model)`` is called before its coding tables are made.
    """
    from assembly.parts import build_model, saved_form
    from training.checkpoints import save_model
    from training.run_directory import RunDirectory

    def save(config, path, change=lambda model: None):
        directory = RunDirectory(path)
        directory.open(saved_form(config), overwrite=False)
        model = build_model(config)
        change(model)
        model.freeze()
        save_model(model, directory.model, directory.config_file.read_bytes())
        return model

    return save


@pytest.fixture
def eagerly():
    """Few steps take less time than the trace of one."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


LIMIT = 900
"""Seconds in which a command must end, also on a machine that has much else to do."""


class Process:
    """A command in a process of its own, as ``subprocess.Popen`` has it, with files for output."""

    def __init__(self, number, folder, args):
        self.pid, self.args, self.returncode, self._folder = number, args, None, folder

    @property
    def stdout(self):
        """What it has printed so far."""
        return (self._folder / "stdout").read_text()

    @property
    def stderr(self):
        return (self._folder / "stderr").read_text()

    def poll(self):
        """The exit status, or None; with it come the seconds of CPU time."""
        if self.returncode is None and (self._folder / "status").exists():
            status = (self._folder / "status").read_text()
            self.returncode, self.cpu_seconds = json.loads(status)
        return self.returncode

    def wait(self, timeout=LIMIT):
        """The exit status, once it has ended."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            assert time.monotonic() < end, f"no end within {timeout} s: {self.args}"
            time.sleep(0.01)
        return self.returncode

    def send_signal(self, signum):
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait_for_line(self, pattern, found=bool):
        """Returns when a line begins as ``pattern`` says and ``found(match)``, or at the end."""
        seen = 0
        while self.poll() is None or seen < self.stdout.count("\n"):
            lines = self.stdout.split("\n")[seen:-1]
            if any((match := re.match(pattern, line)) and found(match) for line in lines):
                return
            seen += len(lines)
            time.sleep(0.01)


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """``start("train.py", "steps=5", cwd=FOLDER, VARIABLE="value")``: a `Process`.

    It has not to import TensorFlow: it is forked from a process that has.
    """
    server = subprocess.Popen(
        [sys.executable, str(pathlib.Path(__file__).with_name("warm_interpreter.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    started = []

    def start(*command, cwd=ROOT, folder=None, **variables):
        folder = folder or tmp_path_factory.mktemp("process")
        command = request_of(command, cwd, variables) if command else []
        server.stdin.write(json.dumps([str(folder), *command]) + "\n")
        server.stdin.flush()
        started.append(Process(int(server.stdout.readline()), folder, command))
        return started[-1]

    yield start
    for process in started:  # Of tests that failed or were stopped.
        process.kill()
    server.stdin.close()
    server.wait(timeout=60)


def request_of(command, cwd, variables=None):
    return [str(cwd), variables or {}, str(ROOT / command[0]), *map(str, command[1:])]


@pytest.fixture(scope="session")
def fresh(start):
    """``fresh("train.py", "steps=5")``: status, output and errors of a process of its own."""

    def run(*command, cwd=ROOT):
        process = start(*command, cwd=cwd)
        process.wait()
        return subprocess.CompletedProcess(
            process.args, process.returncode, process.stdout, process.stderr
        )

    return run


@pytest.fixture(scope="session")
def warm(start, tmp_path_factory):
    """``warm("train.py", "steps=5")``: status, output and errors, as `fresh` gives them.

    All these commands share one process, which has built and traced for them before. What is
    tested of processes themselves, as kills, locks and equal results of one that is new, needs
    `start` or `fresh`; what is tested of the start itself, as imports, needs ``subprocess``.
    """
    folder = tmp_path_factory.mktemp("warm")
    for name in ("requests", "answers"):
        os.mkfifo(folder / name)
    process = start(folder=folder)
    requests, answers = (folder / "requests").open("w"), (folder / "answers").open()

    def run(*command, cwd=ROOT):
        command = request_of(command, cwd)
        requests.write(json.dumps(command) + "\n")
        requests.flush()
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        answer = answers.readline()
        limit.cancel()
        assert answer, f"no answer within {LIMIT} s or at all: {command}"
        return subprocess.CompletedProcess(command, *json.loads(answer))

    yield run
    requests.close()
    process.wait(timeout=60)
