"""A run for every rate from the command line: trained, resumed, evaluated, compared as a curve."""

import json
import pathlib
import signal

import numpy as np
import tensorflow as tf
from PIL import Image

from evaluation.comparison.grouping import group_runs
from evaluation.comparison.measurements import read_measurement

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = (
    "model=bls2017",
    "model.transforms.num_filters=4",
    "data=image_folder",
    "data.patch_size=64",
    "batch_size=2",
    "test_images=1",
    "checkpoint_every=2",
    "classical=[]",
    "precision=float32",
)


def write_images(folder):
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, [4, 12, 10, 3], np.uint8)
    for number, image in enumerate(pixels.repeat(8, axis=1).repeat(8, axis=2)):
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


def test_one_run_is_a_whole_curve(warm, tmp_path):
    images, run = write_images(tmp_path / "images"), tmp_path / "runs" / "every"
    train = ("train.py", *SMALL, "rate=variable", f"data.root={images}", f"run={run}", "steps=4")
    done = warm(*train)
    assert done.returncode == 0, done.stderr
    evaluate = (
        "evaluate.py",
        f"runs={run}",
        f"data.root={images}",
        "data=image_folder",
        "split=all",
    )
    done = warm(*evaluate, "quality=[0,50,80,100]")
    assert done.returncode == 0 and "failed" not in done.stdout, done.stdout
    results = sorted(
        (run / "results").glob("*-q*.json"), key=lambda path: int(path.stem[-3:].strip("-q"))
    )
    measured = [json.loads(path.read_text()) for path in results]
    assert [each["provenance"]["quality"] for each in measured] == [0, 50, 80, 100]
    weights = [each["provenance"]["config"]["lmbda"] for each in measured]
    np.testing.assert_allclose(
        weights, [0.0018, 0.0018 * (0.05 / 0.0018) ** 0.5, 0.0257, 0.05], 1e-3
    )
    for each in measured:
        (objective,) = [each["provenance"]["objective"]]
        rate, weight = each["results"]["bpp"][0], each["provenance"]["config"]["lmbda"]
        np.testing.assert_allclose(objective["loss"], rate + weight * objective["distortion"], 1e-6)
    rates = [each["results"]["bpp"][0] for each in measured]
    assert rates == sorted(set(rates)), rates
    again = warm(*evaluate, "quality=[0,50,80,100]")
    assert "1 of 1 runs have been evaluated" in again.stdout
    groups = group_runs([*map(read_measurement, results)], ROOT / "configs" / "quantizer")
    assert {name: len(points) for name, points in groups.items()} == {"mixed": 4}
    for wrong, message in (
        ("quality=101", "quality=101 must be 0 to 100"),
        ("quality=high", "quality=high must be a number or a list of numbers"),
    ):
        done = warm("evaluate.py", f"run={run}", wrong)
        assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1


def test_resuming_reaches_the_same_gains(start, fresh, tmp_path):
    images, gains = write_images(tmp_path / "images"), []
    for name in ("whole", "stopped"):
        run = tmp_path / "runs" / name
        command = ["train.py", *SMALL, "rate=variable", "steps=100", f"data.root={images}"]
        command += [f"run={run}", "log_every=2", "checkpoint_every=50"]
        if name == "stopped":
            process = start(*command)
            process.wait_for_line(r"step +\d+/")
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 143
        assert fresh(*command).returncode == 0
        reader = tf.train.load_checkpoint(str(run / "model" / "weights"))
        names = sorted(n for n in reader.get_variable_to_shape_map() if "/rate/" in n)
        assert any("log2_gains" in n for n in names), names
        gains.append([reader.get_tensor(n) for n in names])
    for one, other in zip(*gains):
        np.testing.assert_array_equal(one, other)
