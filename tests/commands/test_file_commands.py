"""compress.py, decompress.py and evaluate.py on a trained run: files in, files out, or one line."""

import json
import random
import re
import shutil

import numpy as np
import pytest
from PIL import Image

TRAIN = [
    "model=bls2017",
    "model.transforms.num_filters=8",
    "data.patch_size=64",
    "batch_size=2",
    "steps=30",
    "test_images=1",
    "quantizer=mixed",
    "classical=[]",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory, warm):
    run = tmp_path_factory.mktemp("commands") / "run"
    result = warm("train.py", *TRAIN, f"run={run}")
    assert result.returncode == 0, result.stderr
    return run


@pytest.fixture(scope="module")
def other_run(tmp_path_factory, warm):
    run = tmp_path_factory.mktemp("commands") / "other"
    result = warm("train.py", *TRAIN, f"run={run}", "seed=7", "steps=5")
    assert result.returncode == 0, result.stderr
    return run


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "in.png"
    x, y = np.meshgrid(np.linspace(0, 9, 83), np.linspace(0, 7, 61))
    waves = np.stack([np.sin(x), np.cos(y), np.sin(x * y / 5)], -1)
    Image.fromarray((127.5 + 127.5 * waves).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def coded(run, photo, fresh, tmp_path_factory):
    path = tmp_path_factory.mktemp("coded") / "out.rtc"
    result = fresh("scripts/compress.py", "--run", run, photo, path)
    assert result.returncode == 0, result.stderr
    assert f"83 x 61 pixels, {path.stat().st_size} bytes" in result.stdout
    return path


def test_decompress_gives_the_test_time_reconstruction(run, photo, coded, tmp_path, fresh):
    from assembly.saved_run import load_run

    output = tmp_path / "out.png"
    result = fresh("scripts/decompress.py", "--run", run, coded, output)
    assert result.returncode == 0, result.stderr
    decoded = np.asarray(Image.open(output))
    codec = load_run(str(run)).codec
    np.testing.assert_array_equal(decoded, codec.reconstruct(np.asarray(Image.open(photo))))


def damaged_files(data):
    yield "empty", b"", "empty"
    yield "text", b"Dear diary", "Not an .rtc file"
    yield "truncated", data[: len(data) // 2], "Damaged"
    yield "flipped", data[:30] + bytes([data[30] ^ 16]) + data[31:], "Damaged"
    yield "version", data[:3] + b"\x09" + data[4:], "format version 9"


def test_bad_files_are_one_line_status_2_and_no_output(run, coded, tmp_path, warm):
    for name, data, message in damaged_files(coded.read_bytes()):
        bad, output = tmp_path / f"{name}.rtc", tmp_path / f"{name}.png"
        bad.write_bytes(data)
        result = warm("scripts/decompress.py", "--run", run, bad, output)
        assert result.returncode == 2, name
        assert re.fullmatch(rf"error: .*{message}.*\n", result.stderr), result.stderr
        assert not output.exists() and list(tmp_path.glob(".*")) == []


def test_another_runs_file_is_refused(other_run, coded, tmp_path, warm):
    output = tmp_path / "out.png"
    result = warm("scripts/decompress.py", "--run", other_run, coded, output)
    assert result.returncode == 2 and "coded by another model" in result.stderr
    assert not output.exists()


def test_200_random_corruptions_are_all_refused(run, coded):
    from assembly.saved_run import load_run

    codec, data, rng = load_run(str(run)).codec, coded.read_bytes(), random.Random(0)
    undetected = 0
    for _ in range(200):
        damaged = bytearray(data)
        kind = rng.choice(["flip", "burst", "cut", "insert", "swap"])
        place = rng.randrange(len(data))
        if kind == "flip":
            damaged[place] ^= 1 << rng.randrange(8)
        elif kind == "burst":
            damaged[place : place + 9] = rng.randbytes(9)
        elif kind == "cut":
            del damaged[place : place + rng.randrange(1, 50)]
        elif kind == "insert":
            damaged[place:place] = rng.randbytes(rng.randrange(1, 50))
        else:
            other = rng.randrange(len(data))
            damaged[place], damaged[other] = damaged[other], damaged[place]
        if bytes(damaged) == data:
            continue
        try:
            codec.decode(bytes(damaged))
            undetected += 1
        except ValueError:
            pass
    assert undetected == 0


def test_bad_input_of_compress(run, photo, tmp_path, warm):
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    for image, message in ((text, "text.png"), (tmp_path / "missing.png", "missing.png")):
        result = warm("scripts/compress.py", "--run", run, image, tmp_path / "out.rtc")
        assert result.returncode == 2 and message in result.stderr
    result = warm("scripts/compress.py", "--run", tmp_path / "no-run", photo, tmp_path / "out.rtc")
    assert result.returncode == 2 and "is not a run directory" in result.stderr
    result = warm("scripts/compress.py", "--run", "", photo, tmp_path / "out.rtc")
    assert result.returncode == 2 and "run='' must be a name or a path" in result.stderr
    assert not (tmp_path / "out.rtc").exists()


def test_a_file_above_the_readers_limit_is_refused(run, coded, tmp_path, warm):
    output = tmp_path / "out.png"
    command = ("scripts/decompress.py", "--run", run, coded, output, "--max-size")
    declared = "declares 5063 pixels, more than --max-size 5062"
    for limit, message in ((5062, declared), (0, "must be at least 1")):
        result = warm(*command, limit)
        assert result.returncode == 2 and message in result.stderr, result.stderr
        assert result.stderr.count("\n") == 1 and not output.exists()
    assert warm(*command, 5063).returncode == 0 and output.exists()


def test_a_run_with_a_class_of_its_own_needs_its_folder(run, photo, coded, tmp_path, warm):
    copy, output, own = shutil.copytree(run, tmp_path / "run"), tmp_path / "out.png", tmp_path / "o"
    _, config = (copy / "config.yaml").read_text().split("\n", 1)  # Without the checksum.
    # The same class under a name that no YAML of the project has.
    target = "quantizers.base.scalar.ScalarQuantizer"
    (copy / "config.yaml").write_text(config.replace("quantizers.ScalarQuantizer", target))
    (own / "quantizer").mkdir(parents=True)
    (own / "quantizer" / "mine.yaml").write_text(f"_target_: {target}\n")
    commands = (
        ("scripts/decompress.py", "--run", copy, coded, output),
        ("scripts/compress.py", "--run", copy, photo, tmp_path / "out.rtc"),
        ("evaluate.py", f"run={copy}", "data=image_folder", f"data.root={photo.parent}"),
    )
    for command in commands:
        result = warm(*command)
        assert result.returncode == 2 and result.stderr.count("\n") == 1
        assert f"{target}' is no quantizer of Roundtrip" in result.stderr
    assert not output.exists()
    for command in commands:
        result = warm(*command, "--config-dir", own)
        assert result.returncode == 0, result.stderr


def test_evaluate_on_a_folder(run, photo, warm):
    result = warm("evaluate.py", f"run={run}", "data=image_folder", f"data.root={photo.parent}")
    assert result.returncode == 0, result.stderr
    document = json.loads((run / "results" / f"{photo.parent.name}.json").read_text())
    assert document["dataset"]["files"] == 1
    assert document["results"]["bpp"][0] > 0 and len(document["provenance"]["fingerprint"]) == 16


def test_an_unfinished_run_is_named(tmp_path, run, warm):
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / "config.yaml").write_bytes((run / "config.yaml").read_bytes())
    result = warm("evaluate.py", f"run={unfinished}")
    assert result.returncode == 2 and "is not trained to its end" in result.stderr


def test_refined_files_are_smaller_in_loss_and_plain(run, photo, tmp_path, warm):
    output, decoded = tmp_path / "out.rtc", tmp_path / "out.png"
    options = ("--run", run, "--refine", "rdoq", "--refine-steps", 4)
    result = warm("scripts/compress.py", *options, photo, output)
    assert result.returncode == 0, result.stderr
    assert re.search(
        r"in.png: rdoq loss \d+\.\d+ -> \d+\.\d+ \(-\d.*% *\) in \d steps", result.stdout
    )
    result = warm("scripts/decompress.py", "--run", run, output, decoded)
    assert result.returncode == 0, result.stderr
    assert Image.open(decoded).size == (83, 61)


def test_evaluate_refines_under_a_name_of_its_own(run, photo, warm):
    name = photo.parent.name
    data = ("data=image_folder", f"data.root={photo.parent}", "classical=[]")
    result = warm("evaluate.py", f"run={run}", *data, "refinement=sga", "refinement.steps=3")
    assert result.returncode == 0, result.stderr
    document = json.loads((run / "results" / f"{name}-sga.json").read_text())
    kept = document["provenance"]["refinement"]
    assert (kept["name"], kept["steps"], kept["seed"]) == ("sga", 3, 0)
    assert document["name"] == f"{run.name} + sga"
    assert document["results"]["refining_time"][0] > 0
    assert document["dataset"]["name"] == f"{name}-sga"


def test_bad_refinements_are_one_line(run, photo, tmp_path, warm):
    output = tmp_path / "out.rtc"
    for options, message in (
        (("--refine", "magic"), "--refine 'magic' must be one of rdoq, sga."),
        (("--refine", "sga", "--refine-steps", 0), "steps=0 must be a whole number"),
        (("--refine-steps", 3), "--refine-steps 3 needs --refine."),
    ):
        result = warm("scripts/compress.py", "--run", run, *options, photo, output)
        assert result.returncode == 2 and message in result.stderr
        assert result.stderr.count("\n") == 1 and not output.exists()
    result = warm("evaluate.py", f"run={run}", "refinement=magic")
    assert result.returncode == 2
    assert "refinement='magic' must be one of rdoq, sga." in result.stderr
