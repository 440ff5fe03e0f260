"""The recipes of free training data: reading packages, cutting photographs, licences, splits."""

import collections
import csv
import io
import pathlib
import re
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import free_photographs  # noqa: E402
import free_speech  # noqa: E402
from debian_files import Member, read_members  # noqa: E402

FREE = re.compile(r"CC0-1.0|CC-BY(-SA)?-\d\.0(-IT)?|L?GPL-\d\.0-(only|or-later)|public domain")


@pytest.fixture
def debian_package(tmp_path):
    """``debian_package(name, version, files)`` builds a package in ``tmp_path``."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")

    def build(name, version, files):
        root = tmp_path / f"root-of-{name}"
        (root / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@b>\n"
        (root / "DEBIAN" / "control").write_text(control + "Description: a test\n")
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        deb = tmp_path / f"{name}_{version.replace(':', '%3a')}_all.deb"
        subprocess.run(["dpkg-deb", "--build", root, deb], check=True, capture_output=True)

    return build


def qt_resource(folder, name, content):
    """A Qt resource file (version 1) with one file in one folder."""
    names = b"".join(
        struct.pack(">HI", len(text), 0) + text.encode("utf-16-be") for text in (folder, name)
    )
    second = 6 + 2 * len(folder)
    tree = struct.pack(">IHII", 0, 2, 1, 1)  # The root: a folder with node 1.
    tree += struct.pack(">IHII", 0, 2, 1, 2)
    tree += struct.pack(">IHHHI", second, 0, 0, 1, 0)
    data = struct.pack(">I", len(content)) + content
    offsets = (20, 20 + len(tree), 20 + len(tree) + len(data))
    return struct.pack(">4s4I", b"qres", 1, *offsets) + tree + data + names


def test_members_of_packages_are_read(debian_package, tmp_path):
    files = {"usr/a.txt": b"plain", "usr/b.rcc": qt_resource("inner", "c.webp", b"within")}
    debian_package("one", "1:2.0-1", files)
    members = [Member("one", "1:2.0-1", p) for p in ("usr/a.txt", "usr/b.rcc!inner/c.webp")]
    assert [content for _, content in read_members(tmp_path, members)] == [b"plain", b"within"]
    for member, message in (
        (Member("one", "1:2.0-1", "usr/x"), "has no file usr/x"),
        (Member("one", "1:2.0-1", "usr/b.rcc!inner/x"), "has no file usr/b.rcc!inner/x"),
        (Member("one", "3", "usr/a.txt"), "has no package one 3"),
    ):
        with pytest.raises(ValueError, match=message):
            list(read_members(tmp_path, [member]))


@pytest.mark.parametrize(
    "size, count, tile", [((2000, 1300), 5, (768, 512)), ((1000, 700), 1, (741, 512))]
)
def test_a_photograph_becomes_tiles_of_several_scales(size, count, tile):
    noise = np.random.default_rng(0).integers(0, 256, [26, 40, 3], np.uint8)
    photograph = Image.fromarray(noise).resize(size, Image.Resampling.NEAREST)
    tiles = list(free_photographs._tiles(photograph, training=True))
    assert len(tiles) == count
    assert {each.size for each in tiles} == {tile}
    assert len(list(free_photographs._tiles(photograph, training=False))) == 1
    turned = list(free_photographs._tiles(photograph.transpose(Image.Transpose.ROTATE_90), True))
    assert {each.size for each in turned} == {tile[::-1]}


def test_prompts_are_sentences(debian_package, tmp_path):
    def wav(seconds, level=0.3, rate=8000):
        file = io.BytesIO()
        noise = np.random.default_rng(0).standard_normal(int(seconds * rate))
        soundfile.write(file, np.clip(level * noise, -1, 1), rate, format="WAV")
        return file.getvalue()

    root = "usr/share/asterisk/sounds/en/"
    names = {"hello": wav(2), "short": wav(0.9), "quiet": wav(2, 0.001), "beep": wav(2)}
    debian_package("voice", "1", {f"{root}{n}.wav": content for n, content in names.items()})
    voice = free_speech.Voice("train", "voice", "1", "en", "a speaker", "CC0-1.0")
    assert [prompt[0] for prompt in free_speech._prompts(tmp_path, voice)] == ["hello.wav"]
    debian_package("fast", "1", {f"{root}hello.wav": wav(2, rate=16000)})
    with pytest.raises(ValueError, match="is not 8000 Hz, mono"):
        free_speech._prompts(tmp_path, voice._replace(package="fast"))


@pytest.mark.parametrize("recipe", [free_photographs, free_speech])
def test_sources_are_free_and_in_one_split(recipe):
    with recipe.LIST.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(FREE.fullmatch(row["license"]) for row in rows)
    assert {row["split"] for row in rows} <= {"train", "val", "test"}
    counts = collections.Counter((row["package"], row.get("path") or row["folder"]) for row in rows)
    assert set(counts.values()) == {1}
    if recipe is free_speech:  # A voice is not both heard in training and tested.
        heard, tested = ({r["speaker"] for r in rows if r["split"] == s} for s in ("train", "test"))
        assert tested and not heard & tested
    else:
        names = [
            free_photographs._name(Member(r["package"], r["version"], r["path"])) for r in rows
        ]
        assert len({*names}) == len(names)
