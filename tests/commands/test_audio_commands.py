"""Sound through the commands as a user runs them: train, kill, resume, compress, decompress."""

import csv
import re
import signal

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from PIL import Image

SMALL = [
    "data=tones",
    "model=audio",
    "model.transforms.num_filters=4",
    "model.transforms.latent_channels=8",
    "model.transforms.strides=[8,8]",
    "model.transforms.dilations=[1]",
    "data.segment=1024",
    "quantizer=mixed",
    "optimizer.learning_rate=0.005",
    "batch_size=2",
    "steps=40",
    "log_every=5",
    "checkpoint_every=10",
    "test_images=1",
]


@pytest.fixture(scope="module")
def finished(start, fresh, tmp_path_factory):
    """Killed once, resumed to its end."""
    run = tmp_path_factory.mktemp("audio") / "run"
    command = ("train.py", *SMALL, f"run={run}")
    process = start(*command)
    process.wait_for_line(r"step +15/")
    process.kill()
    assert process.wait() == -signal.SIGKILL
    result = fresh(*command)
    assert result.returncode == 0, result.stderr
    return run, result


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Stereo, 24 bits, 11025 Hz."""
    path = tmp_path_factory.mktemp("sound") / "in.wav"
    time = np.arange(5000)[:, np.newaxis] / 11025
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * time * [440, 330]), 11025, subtype="PCM_24")
    return path


@pytest.fixture(scope="module")
def coded(finished, recording, tmp_path_factory, warm):
    path = tmp_path_factory.mktemp("coded") / "out.rtc"
    result = warm("scripts/compress.py", "--run", finished[0], recording, path)
    assert result.returncode == 0, result.stderr
    size = path.stat().st_size
    assert f"5000 samples, 2 channels, 11025 Hz, {size} bytes" in result.stdout
    kbps = float(re.search(r"([\d.]+) kbps", result.stdout)[1])
    assert kbps == pytest.approx(8 * size / 1000 / (5000 / 11025), abs=1e-3)
    return path


def test_training_says_rate_quality_and_what_is_trained(finished):
    run, result = finished
    assert re.search(r"resuming at step 10 of 40", result.stdout)
    assert re.search(
        r"step 40/40 .*kbps [\d.]+ .*SNR -?[\d.]+ dB .*segments/s  ETA 0:00", result.stdout
    )
    assert re.search(r"model: 8000 Hz, total stride 64 samples, 125 x 8 latents/s", result.stdout)
    with (run / "training.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(5, 41, 5))
    last = rows[-1]
    assert float(last["kbps"]) == pytest.approx(8 * float(last["bpp"]), rel=1e-4)
    losses = [float(row["loss"]) for row in rows]  # Batches are of two: each alone says little.
    assert sum(losses[4:]) < 0.9 * sum(losses[:4])
    snr = 10 * np.log10(10**-2.3 / float(last["mse"]))
    assert float(last["snr"]) == pytest.approx(snr, abs=1e-3)


def test_tensorboard_has_sound_and_latents(finished):
    tags = set()
    for path in finished[0].glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            tags |= {value.tag for value in event.summary.value}
    assert {"original", "coded", "latents", "kbps", "snr", "learning_rate"} <= tags
    assert {"gradient_norm", "configuration", "final/kbps", "_hparams_/experiment"} <= tags


def test_training_ends_with_measured_files(finished):
    run, result = finished
    assert (run / "results" / "tones-first1.json").exists() and "kbps" in result.stdout


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_decompress_gives_the_test_time_reconstruction(
    finished, recording, coded, tmp_path, suffix, warm
):
    from assembly.saved_run import load_run

    output = tmp_path / f"out.{suffix}"
    result = warm("scripts/decompress.py", "--run", finished[0], coded, output)
    assert result.returncode == 0, result.stderr
    decoded, rate = soundfile.read(output, dtype="int16")
    assert rate == 11025 and soundfile.info(output).subtype == "PCM_16"
    original, _ = soundfile.read(recording, dtype="float32")
    expected = load_run(str(finished[0])).codec.reconstruct(original, rate)
    np.testing.assert_array_equal(decoded, expected.samples)


def test_bad_input_is_one_line_with_status_2(finished, tmp_path, warm):
    """What else may be wrong with a file, the tests of ``data.read_audio`` know."""
    nan, image = tmp_path / "nan.wav", tmp_path / "image.png"
    soundfile.write(nan, np.full([9, 1], np.nan), 8000, subtype="FLOAT")
    Image.new("RGB", (8, 8)).save(image)
    for path in (nan, image):
        output = tmp_path / "out.rtc"
        result = warm("scripts/compress.py", "--run", finished[0], path, output)
        assert result.returncode == 2, path
        assert re.fullmatch(rf"error: .*{path.name}.*\n", result.stderr), result.stderr
        assert not output.exists()


def test_output_of_the_other_medium_or_lossy_is_refused(finished, coded, tmp_path, warm):
    for name, message in (
        ("out.png", "must end in one of .wav, .flac: this run codes audio"),
        ("out.mp3", "lossy"),
    ):
        result = warm("scripts/decompress.py", "--run", finished[0], coded, tmp_path / name)
        assert result.returncode == 2 and message in result.stderr
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data=photos", "model=audio"], "sample_rate=None must be a number of Hz"),
        (
            ["data=tones", "model=bls2017", "distortion=audio"],
            "data=TonesAudio is for audio, but the model codes",
        ),
        (["data=tones", "model=audio", "distortion=mse"], "MeanSquaredError is for images, but"),
        (["data=tones", "model=audio", "data.segment=1000"], "data.segment=1000 must be a"),
        (["data=tones", "model=audio", "data.segment=960"], "data.segment=960 must be at"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_with_status_2_and_leave_nothing(tmp_path, warm, overrides, message):
    run = tmp_path / "run"
    # Small models are built soon, and refused as large ones are.
    result = warm("train.py", *overrides, "model.transforms.num_filters=4", f"run={run}")
    assert result.returncode == 2
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and message in lines[0], result.stderr
    assert not run.exists()
