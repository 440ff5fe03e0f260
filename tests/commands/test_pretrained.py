"""Pretrained models: folders made of runs, found by name, medium and fingerprint; golden files."""

import importlib.util
import pathlib
import shutil

import numpy as np
import pytest
import soundfile
import tensorflow as tf
import yaml
from PIL import Image

from assembly import golden, pretrained
from assembly.parts import build_model
from assembly.saved_run import load_run
from assembly.warm_start import start_from
from codec.file_header import read_header
from commands.console import main
from training import compact_weights, run_names
from training.run_directory import RunDirectory
from training.run_names import run_path

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = ("precision=float32", "model.transforms.num_filters=4")
AUDIO = (
    "model=audio",
    "model.transforms.latent_channels=8",
    "model.transforms.sample_rate=8000",
    "model.transforms.strides=[4,4]",
)
NOTES = {
    "title": "A model of a test.",
    "license": "Apache-2.0",
    "command": "python train.py steps=0",
    "hours": 0.5,
    "machine": "two cores",
    "data": [{"name": "noise", "license": "CC0-1.0", "how": "numpy"}],
}


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A photograph, a recording and notes."""
    folder = tmp_path_factory.mktemp("inputs")
    noise = np.random.default_rng(0)
    pixels = noise.integers(0, 256, [20, 23, 3], np.uint8).repeat(9, axis=0).repeat(8, axis=1)
    Image.fromarray(pixels).save(folder / "photo.png")
    soundfile.write(folder / "talk.wav", 0.1 * noise.standard_normal(9000), 8000)
    (folder / "notes.yaml").write_text(yaml.safe_dump(NOTES))
    return folder


@pytest.fixture(scope="module")
def library(compose, save_run, inputs, tmp_path_factory):
    """``pretrained/`` with untrained models: image-1, speech-1 and, of another seed, image-2."""
    folder = tmp_path_factory.mktemp("library")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_names, "PRETRAINED", folder / "pretrained")
        for name, file, options in (
            ("image-1", "photo.png", ("seed=1",)),
            ("speech-1", "talk.wav", AUDIO),
            ("image-2", "photo.png", ("seed=2",)),
            ("every-1", "photo.png", ("rate=variable",)),
        ):
            directory = RunDirectory(folder / f"run-of-{name}")
            config = compose(*SMALL, *options)
            config.run = str(folder / "run")
            save_run(config, directory.path)
            for left_behind in ("checkpoints/step-1", "results"):
                (directory.path / left_behind).mkdir(parents=True)
            (directory.results / "of-all-32-bits.json").write_text("{}")
            arguments = (directory.path, name, inputs / "notes.yaml", inputs / file)
            script("make_pretrained").make_pretrained(*map(str, arguments))
        yield folder / "pretrained"


def test_a_folder_holds_what_coding_needs_and_a_card(library):
    names = {str(p.relative_to(library / "image-1")) for p in library.glob("image-1/**/*.*")}
    weights = {"model/weights.npz", "model/config.yaml"}
    files = {"README.md", "config.yaml", "golden/file.rtc", "golden/file.png"}
    assert names == weights | files
    assert str(library.parent) not in (library / "image-1" / "config.yaml").read_text()
    card = pretrained.read_card("image-1")
    assert card["fingerprint"] == load_run("pretrained:image-1").codec.fingerprint.hex()
    assert NOTES.items() <= card.items() and card["medium"] == "image" and card["seed"] == 1
    text = (library / "image-1" / "README.md").read_text()
    assert "| noise | CC0-1.0 | numpy |" in text and "None yet." in text


def test_mistakes_leave_nothing(library, inputs, tmp_path):
    make = script("make_pretrained").make_pretrained
    run, notes, photo = (
        library.parent / "run-of-image-1",
        inputs / "notes.yaml",
        inputs / "photo.png",
    )
    poor = tmp_path / "poor.yaml"
    poor.write_text(yaml.safe_dump({**NOTES, "data": [{"name": "a folder of mine"}]}))
    for arguments, message in (
        ((run, "image-1", notes, photo), "name='image-1' is taken"),
        ((run, "image", notes, photo), "name='image' must end in a number"),
        ((run, "image-3", poor, photo), "data\\[0\\] must have license, how"),
        ((run, "image-3", notes, inputs / "notes.yaml"), "notes.yaml"),
        ((tmp_path, "image-3", notes, photo), "is not a run directory"),
    ):
        with pytest.raises((ValueError, OSError), match=message):
            make(*map(str, arguments))
    assert sorted(path.name for path in library.iterdir()) == [
        "every-1",
        "image-1",
        "image-2",
        "speech-1",
    ]


@pytest.mark.parametrize("file, decoded", [("photo.png", "out.png"), ("talk.wav", "out.wav")])
def test_files_are_coded_and_decoded_without_a_run(
    library, inputs, tmp_path, capsys, file, decoded
):
    coded, output = tmp_path / "out.rtc", tmp_path / decoded
    main(["compress", str(inputs / file), str(coded)])
    main(["decompress", str(coded), str(output)])
    capsys.readouterr()
    main(["info", str(coded)])
    lines = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    shown = {name: value.strip() for name, value in lines.items()}
    name = "image-2" if file == "photo.png" else "speech-1"
    codec = load_run(f"pretrained:{name}").codec
    assert shown["model"] == f"pretrained:{name}"
    assert shown["fingerprint"] == codec.fingerprint.hex()
    assert shown["bytes"].startswith(f"{coded.stat().st_size}, ")
    if file == "photo.png":
        pixels = np.asarray(Image.open(inputs / file))
        np.testing.assert_array_equal(np.asarray(Image.open(output)), codec.reconstruct(pixels))
        assert (shown["medium"], shown["size"]) == ("image", "184 x 180 pixels")
        assert shown["rate"] == f"{8 * coded.stat().st_size / 184 / 180:.4f} bpp"
    else:
        assert soundfile.info(output).frames == 9000
        assert shown["size"] == "1.125 s, 9000 samples, 1 channel, 8000 Hz"
        assert shown["rate"] == f"{8 * coded.stat().st_size / 1125:.3f} kbps"


def test_a_new_version_codes_and_the_old_one_still_decodes(library, inputs, tmp_path):
    assert run_path("pretrained:image") == library / "image-2"
    old = tmp_path / "old.rtc"
    main(["compress", "--run", "pretrained:image-1", str(inputs / "photo.png"), str(old)])
    main(["decompress", str(old), str(tmp_path / "old.png")])
    shutil.copytree(library / "image-2", library / "image-10")
    try:
        assert run_path("pretrained:image") == library / "image-10"
    finally:
        shutil.rmtree(library / "image-10")


def one_line(capsys, *arguments):
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments)])
    error = capsys.readouterr().err
    assert end.value.code == 2 and error.startswith("error: ") and error.count("\n") == 1, error
    return error


def test_a_foreign_or_damaged_file_is_one_line(library, tmp_path, capsys):
    whole = (library / "image-1" / "golden" / "file.rtc").read_bytes()
    codec = load_run(str(library.parent / "run-of-image-1")).codec
    for name, data, message in (
        ("empty", b"", "empty"),
        ("short", whole[:3], "Truncated"),
        ("photo", b"\x89PNG" * 9, "Not an .rtc file"),
        ("cut", whole[:-1], "Damaged"),
        ("flipped", whole[:7] + bytes([whole[7] ^ 1]) + whole[8:], "Damaged"),
        ("new", whole[:3] + b"\x09" + whole[4:], "format version 9"),
    ):
        path = tmp_path / f"{name}.rtc"
        path.write_bytes(data)
        for command in (("info", path), ("decompress", path, tmp_path / "out.png")):
            assert message in one_line(capsys, *command)
    assert "nothing.rtc" in one_line(capsys, "info", tmp_path / "nothing.rtc")
    codec.fingerprint = bytes(8)
    path.write_bytes(codec.encode(np.zeros([9, 9, 3], np.uint8)))
    error = one_line(capsys, "decompress", path, tmp_path / "out.png")
    assert "fingerprint 0000000000000000: name the run" in error
    main(["info", str(path)])
    assert "none of the pretrained ones" in capsys.readouterr().out
    assert not (tmp_path / "out.png").exists()


def test_output_never_replaces_the_input_or_what_is_no_file(library, inputs, tmp_path, capsys):
    photo, link = tmp_path / "photo.png", tmp_path / "link.rtc"
    shutil.copy(inputs / "photo.png", photo)
    link.symlink_to(photo)
    coded, folder = tmp_path / "decoded.png", tmp_path / "folder.rtc"
    shutil.copy(library / "image-1" / "golden" / "file.rtc", coded)
    folder.mkdir()
    streams = "'-': standard input and output are not supported"
    before = {path: path.read_bytes() for path in (photo, coded)}
    for command, message in (
        (("compress", photo, photo), f"output='{photo}' is the input file"),
        (("compress", photo, link), f"output='{link}' is the input file"),
        (("compress", photo, tmp_path / "out.png"), "out.png' must end in .rtc"),
        (("compress", photo, folder), f"{folder} cannot be written: it is not a regular file"),
        (("compress", photo, "/dev/null"), "/dev/null cannot be written"),
        (("compress", photo, "-"), streams),
        (("compress", "-", tmp_path / "out.rtc"), streams),
        (("decompress", coded, coded), f"output='{coded}' is the input file"),
        (("decompress", coded, "-"), streams),
        (("decompress", "-", tmp_path / "out.png"), streams),
        (("info", "-"), streams),
    ):
        assert message in one_line(capsys, *command)
    assert before == {path: path.read_bytes() for path in (photo, coded)}
    assert {path.name for path in tmp_path.iterdir()} == {
        *("photo.png", "link.rtc", "decoded.png", "folder.rtc")
    }
    assert link.is_symlink() and not list(folder.iterdir())


def test_without_a_model_the_command_says_so(library, inputs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run_names, "PRETRAINED", tmp_path / "none")
    error = one_line(capsys, "compress", inputs / "talk.wav", tmp_path / "out.rtc")
    assert "there is no pretrained model 'speech'; there are: none" in error
    assert "there is no pretrained model 'x'" in one_line(
        capsys, "compress", "--run", "pretrained:x", inputs / "talk.wav", tmp_path / "out.rtc"
    )


def test_a_quality_or_a_size_can_be_asked_for(library, inputs, tmp_path, capsys):
    photo, out = inputs / "photo.png", tmp_path / "out.rtc"

    def coded(*options):
        main(["compress", "--run", "pretrained:every", *options, str(photo), str(out)])
        header = read_header(out.read_bytes())
        return header.coded.quality, len(out.read_bytes())

    low, middle, high = (coded("--quality", q) for q in ("0", "37.25", "100"))
    assert (low[0], middle[0], high[0]) == (0, 3725, 10000) and low[1] < middle[1] < high[1]
    assert coded("--lmbda", "0.0018") == low and coded()[0] == 5948
    met = coded("--target-bytes", str(middle[1]))
    assert met[1] <= middle[1] and met[0] >= 3725
    pixels = 20 * 9 * 23 * 8
    assert coded("--target-bpp", str(8 * (middle[1] + 0.5) / pixels)) == met
    assert coded("--target-bpp", "1e308") == high
    main(["decompress", str(out), str(tmp_path / "out.png")])
    main(["info", str(out)])
    assert "quality:" in capsys.readouterr().out
    for options, message in (
        (["--quality", "101"], "quality=101 must be 0 to 100"),
        *(
            (["--lmbda", lmbda], f"--lmbda {lmbda} must be 0.0018 to 0.05 with this model.")
            for lmbda in ("1", "0", "-1", "nan")
        ),
        (["--target-bytes", "9"], "--target-bytes 9: 9 bytes are too few: at quality 0 the"),
        (["--target-bpp", "0.01"], "--target-bpp 0.01: 41 bytes are too few: at quality 0"),
        (["--config-dir", "nodir"], "--config-dir 'nodir' is not a folder."),
        (["--target-bpp", "-1"], "--target-bpp -1 must be above 0"),
        (["--target-kbps", "8"], "--target-kbps 8: the rate of images is in bpp"),
    ):
        command = ("compress", "--run", "pretrained:every", *options, photo, tmp_path / "no.rtc")
        assert message in one_line(capsys, *command)
        assert not (tmp_path / "no.rtc").exists()
    for options, message in (
        (["--quality", "5"], "quality=5: image-2 has one rate"),
        (["--target-bytes", "9" * 400], f"--target-bytes {'9' * 400}: image-2 has one rate"),
    ):
        command = ("compress", "--run", "pretrained:image", *options, photo, out)
        assert message in one_line(capsys, *command)


def test_evaluation_leaves_the_folder_as_it_is(library, inputs, tmp_path, monkeypatch):
    from data import ImageFolder
    from evaluate import evaluate

    monkeypatch.chdir(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in library.rglob("*")}
    photos = ImageFolder(root=str(inputs), patch_size=64)
    evaluate("pretrained:image", photos, split="all", classical=[])
    assert before == {path: path.stat().st_mtime_ns for path in library.rglob("*")}
    (found,) = pathlib.Path("build/pretrained/image-2/results").glob("*.json")
    assert found.stem == photos.name_of("all")
    make = script("make_pretrained")
    with pytest.raises(ValueError, match="there are no results in"):
        make.add_results("image-1")
    shutil.copytree(library / "image-2", library / "image-3")
    shutil.copytree("build/pretrained/image-2", "build/pretrained/image-3")
    card = make.add_results("image-3") / "README.md"
    assert f"(results/{found.name})" in card.read_text()
    assert (library / "image-3" / "results" / found.name).read_bytes() == found.read_bytes()
    card.write_text(card.read_text().replace("fingerprint: ", "fingerprint: 0"))
    with pytest.raises(ValueError, match="is of other weights than image-3"):
        make.add_results("image-3")
    shutil.rmtree(library / "image-3")


def test_weights_of_16_bits_are_the_model_whole_and_nothing_else(library, compose, tmp_path):
    theirs = load_run("pretrained:image-1").codec.model
    original = load_run(str(library.parent / "run-of-image-1")).codec.model
    for half, full in zip(theirs.trainable_variables, original.trainable_variables):
        np.testing.assert_array_equal(half, full.numpy().astype(np.float16))
    path = library / "image-1" / "model" / compact_weights.FILE
    other = build_model(compose("precision=float32", "model.transforms.num_filters=5"))
    with pytest.raises(ValueError, match=r"does not hold this configuration's model"):
        compact_weights.read_compact(other, path)
    data = path.read_bytes()
    entry = data.find(b"PK\1\2")  # Of the first array, in the list at the end of the file.
    for place, bit in ((8, 1), (8, 32), (10, 2), (30, 16)):  # Encrypted, patched, method, name.
        damaged = bytearray(data)
        damaged[entry + place] ^= bit
        (tmp_path / "damaged.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"does not hold this configuration's model"):
            compact_weights.read_compact(theirs, tmp_path / "damaged.npz")
    arrays = dict(np.load(path))
    key = max(arrays, key=lambda k: arrays[k].nbytes)
    for changed in ({**arrays, key: np.zeros(10**7)}, {k: arrays[k] for k in arrays if k != key}):
        np.savez(tmp_path / "changed.npz", **changed)
        with pytest.raises(ValueError, match=key):
            compact_weights.read_compact(other, tmp_path / "changed.npz")
    model = build_model(compose(*SMALL))
    model.trainable_variables[0].assign_add(tf.fill(model.trainable_variables[0].shape, 1e6))
    with pytest.raises(ValueError, match="no float16"):
        compact_weights.round_to_half(model)


def test_a_run_starts_from_a_pretrained_model_and_none_trains_there(library, compose):
    model = build_model(compose(*SMALL, "lmbda=0.05", "seed=3"))
    assert str(library / "image-2") in start_from(model, "pretrained:image")
    theirs = load_run("pretrained:image").codec.model.trainable_variables
    assert all(np.array_equal(*pair) for pair in zip(model.trainable_variables, theirs))
    with pytest.raises(ValueError, match="stays as it is: choose another run="):
        RunDirectory(run_path("pretrained:image")).open(compose(*SMALL), overwrite=True)


def test_golden_files_show_other_latents_and_other_samples(library):
    saved, folder = load_run("pretrained:image-1"), library / "image-1" / "golden"
    sums = pretrained.read_card("image-1")["golden"]
    golden.check_golden(saved, folder, sums)
    with pytest.raises(ValueError, match="latents of CRC-32"):
        golden.check_golden(saved, folder, {"file": "00000000"})
    pixels = np.asarray(Image.open(folder / "file.png"))
    for levels, expected in ((1, None), (2, "2 levels off")):
        moved = np.where(pixels < 128, pixels + levels, pixels - levels).astype(np.uint8)
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)
        Image.fromarray(moved).save(copy / "file.png")
        try:
            if expected is None:
                golden.check_golden(saved, copy, sums)
            else:
                with pytest.raises(ValueError, match=expected):
                    golden.check_golden(saved, copy, sums)
        finally:
            shutil.rmtree(copy)


@pytest.mark.parametrize("name", run_names.pretrained_names() or [None])
def test_a_model_of_this_checkout_decodes_its_golden_files(name):
    if name is None:
        pytest.skip("pretrained/ holds no model yet")
    saved, card = load_run(f"pretrained:{name}"), pretrained.read_card(name)
    assert card["fingerprint"] == saved.codec.fingerprint.hex() and card["golden"]
    assert card["medium"] == saved.medium and card["data"]
    golden.check_golden(saved, run_names.PRETRAINED / name / golden.FOLDER, card["golden"])


def test_pretrained_models_stay_small():
    files = [path for path in (ROOT / "pretrained").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 20e6
