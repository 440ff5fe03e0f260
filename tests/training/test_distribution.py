"""One run on two logical CPUs and on two workers of the loopback: the results of one process."""

import json
import pathlib
import re
import socket

import numpy as np
import pytest
import tensorflow as tf

from training.distribution import Distribution

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = [
    "model=bls2017",
    "model.transforms.num_filters=4",
    "data.patch_size=64",
    "batch_size=4",
    "steps=8",
    "log_every=2",
    "checkpoint_every=4",
    "test_images=1",
    "classical=[]",
    "precision=float32",
]
ON_TWO_CPUS = f"""
import runpy, sys
import tensorflow as tf
one = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [one, one])
sys.path.insert(0, {str(ROOT)!r})
"""
"""Where TensorFlow sees two CPUs."""
# Gradients are summed in another order; Adam's first steps divide tiny ones by their own size.
TOLERANCE = {"rtol": 1e-3, "atol": 1e-4}


def losses(text):
    return [float(loss) for loss in re.findall(r"^step .*?loss (\S+)", text, re.MULTILINE)]


def weights(run):
    reader = tf.train.load_checkpoint(str(run / "model" / "weights"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("model/")]
    return {name: reader.get_tensor(name) for name in names}


def assert_near(one, other):
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys() and len(ours) > 10
    for name, value in ours.items():
        # The counters of random generators and the coding tables are whole numbers.
        if value.dtype == np.float32:
            np.testing.assert_allclose(value, theirs[name], err_msg=name, **TOLERANCE)


@pytest.fixture(scope="module")
def single(tmp_path_factory, warm):
    run = tmp_path_factory.mktemp("single") / "run"
    done = warm("train.py", *SMALL, f"run={run}", "quantizer=straight_through")
    assert done.returncode == 0, done.stderr
    return run, losses(done.stdout)


def test_two_devices_give_what_one_gives(single, fresh, tmp_path):
    run, script = tmp_path / "run", tmp_path / "on_two_cpus.py"
    train = f'runpy.run_path({str(ROOT / "train.py")!r}, run_name="__main__")'
    script.write_text(f"{ON_TWO_CPUS}{train}\n")
    done = fresh(script, *SMALL, f"run={run}", "quantizer=straight_through", "strategy=mirrored")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(losses(done.stdout), single[1], rtol=1e-4)
    assert_near(single[0], run)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start_workers(start, folder, *overrides):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    cluster = {"worker": addresses}
    tasks = ({"cluster": cluster, "task": {"type": "worker", "index": k}} for k in (0, 1))
    command = ("train.py", *SMALL, *overrides)
    return [start(*command, cwd=folder, TF_CONFIG=json.dumps(task)) for task in tasks]


def test_two_workers_give_what_one_process_gives_and_resume(single, start, tmp_path):
    words = (f"run={tmp_path}/run", "quantizer=straight_through", "strategy=multi_worker")
    processes = start_workers(start, tmp_path, *words)
    # Both are killed after the checkpoint at step 4, if they have not ended by then.
    processes[0].wait_for_line("step 6/")
    for process in processes:
        process.kill()
        process.wait()
    all_losses = dict(zip((2, 4, 6), losses(processes[0].stdout)))
    chief, other = processes = start_workers(start, tmp_path, *words)
    assert [process.wait() for process in processes] == [0, 0], chief.stderr + other.stderr
    assert re.search(r"resuming at step [46] of 8", chief.stdout)
    assert other.stdout == "", "only the chief speaks"
    np.testing.assert_allclose(list(all_losses.values()), single[1][:3], rtol=1e-4)
    assert_near(single[0], tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"], "only the chief writes"


def test_noise_differs_between_replicas(fresh, tmp_path):
    script = """
from quantizers import UniformNoise
from training.distribution import Distribution
distribution = Distribution("mirrored")
with distribution.scope():
    surrogate = UniformNoise(seed=3)
draw = tf.function(lambda: distribution.strategy.run(lambda: surrogate(tf.zeros([1000]))))
first, second = (value.numpy() for value in draw().values)
again, _ = (value.numpy() for value in draw().values)
def related(one, other):
    return abs(float((one * other).mean() / (one.std() * other.std())))
assert (first != again).any() and related(first, again) < 0.15
assert (first != second).any() and related(first, second) < 0.15
"""
    (tmp_path / "noise.py").write_text(ON_TWO_CPUS + script)
    done = fresh(tmp_path / "noise.py")
    assert done.returncode == 0, done.stderr


def test_one_device_is_no_strategy_and_others_are_named():
    for name in (None, "single"):
        distribution = Distribution(name)
        assert distribution.strategy is None and distribution.replicas == 1
    with pytest.raises(ValueError, match="strategy='horovod' must be one of single, mirrored"):
        Distribution("horovod")


def test_what_several_replicas_cannot_do_is_said(compose):
    from assembly.parts import build_part

    distribution = Distribution("mirrored")
    distribution.replicas = 3
    with pytest.raises(ValueError, match="batch_size=8 must be a multiple of the 3 replicas"):
        distribution.check(8)
    vector = build_part(compose("quantizer=vector").quantizer)
    with pytest.raises(ValueError, match=r"quantizer=VectorQuantizer .* needs strategy=single"):
        distribution.check(9, vector)
    distribution.check(9, build_part(compose("quantizer=mixed").quantizer))
