"""scripts/compare.py as a user runs it."""

import csv
import json
import pathlib
import subprocess
import sys

import pytest
import skimage.data
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[3]
FILES = [
    *("comparison.csv", "comparison.json", "comparison.md", "comparison.png", "comparison.svg"),
    *("comparison.tex", "contrasts.csv", "files.csv", "profile.png", "profile.svg", "report.html"),
]


def test_a_real_comparison(runs, compared, tmp_path):
    output = tmp_path / "new" / "folder"
    command = (f"{runs}/*", "--anchor", "uniform_noise", "--resamples", "200", "--output", output)
    command += ("--contrast", "mixed", "uniform_noise", "--half-width", "2")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "compare.py"), *map(str, command)],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert sorted(path.name for path in output.iterdir()) == FILES
    written = (output / "comparison.md").read_text()
    assert done.stdout.startswith(written)
    tables = [each.splitlines() for each in written.split("\n\n") if each.startswith("|")]
    assert len(tables) == 3
    assert all(len({line.count("|") for line in table}) == 1 for table in tables)
    table, tests, _ = tables
    assert tests[0].endswith("| more seeds for ±2 % |")
    assert [line.split(" | ")[:3] for line in tests[2:]] == [
        ["| mixed against uniform_noise", measure, "3"] for measure in ("loss", "BD-rate")
    ]
    assert table[2].startswith("| 1 | mixed | 4 | 3 | -") and table[3].startswith(
        "| 2 | uniform_noise | 4 | 3 | 0 | anchor |"
    )
    floor = "with 3 seeds its p cannot go below 2/2^3 = 0.25"
    for words in ("PCHIP", "u.log", "Fewer than 5 seeds", "200 resamples", floor):
        assert words in written
    record = json.loads((output / "comparison.json").read_text())
    mixed, anchor = record["curves"]
    low, high = mixed["interval_percent"]
    assert low < mixed["bd_rate_percent"] < high and low < -10 < high < 0
    assert mixed["p"] < 0.05 and mixed["bd_quality_db"] > 0
    assert anchor["bd_rate_percent"] == 0 and anchor["interval_percent"] is None
    assert mixed["seeds"] == [[0, 1, 2]] * 4 and mixed["commits"] == ["c0ffee"]
    by_image = list(csv.DictReader((output / "files.csv").open()))
    assert [row["file"] for row in by_image] == [f"{image}.png" for image in range(8)]
    mean = sum(float(row["mixed"]) for row in by_image) / 8
    assert mean == pytest.approx(mixed["by_file_mean_percent"])
    ranking = list(csv.DictReader((output / "comparison.csv").open()))
    assert [row["name"] for row in ranking] == ["mixed", "uniform_noise"]
    assert float(ranking[0]["interval_percent_high"]) == high
    tex = (output / "comparison.tex").read_text()
    assert r"uniform\_noise & 4 & 3 & 0 & anchor" in tex and tex.count(r"\toprule") == 3
    with Image.open(output / "comparison.png") as image:
        assert image.width == 1440
    options = {"contrasts": [("mixed", "uniform_noise")], "half_width": 2.0}
    again = compared(f"{runs}/*", anchor="uniform_noise", resamples=200, output=output, **options)
    assert again + "\n" == done.stdout, "the bootstrap is seeded"


def test_originals_are_read_from_a_folder(published, warm, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(skimage.data.chelsea()[:160, :240]).save(photos / "photo.png")
    files = (published("JPEG"), published("WebP", 0.7))
    command = (*files, "--anchor", "JPEG", "--output", tmp_path / "o", "--images", photos)
    done = warm("scripts/compare.py", *command, "--bpp", "2")
    assert (done.returncode, done.stderr) == (0, "") and "crops.png, crops.svg" in done.stdout
    assert "photo.png" in (tmp_path / "o" / "report.html").read_text()


def test_names_are_neither_html_nor_markdown(published, warm, tmp_path):
    hostile = published("<img src=x onerror=alert(1)>", 0.7, path=tmp_path / "hostile.json")
    linked = published("![x](http://a)", 0.8, path=tmp_path / "linked.json")
    output = tmp_path / "o"
    command = (published("JPEG"), hostile, linked, "--anchor", "JPEG", "--output", output)
    done = warm("scripts/compare.py", *command)
    assert done.returncode == 0, done.stderr
    markdown = (output / "comparison.md").read_text()
    assert "| &lt;img src=x onerror=alert(1)&gt; |" in markdown
    assert "| !\\[x](http://a) |" in markdown and "![" not in markdown
    for file in ("comparison.md", "report.html"):
        assert "<img src=x" not in (output / file).read_text()


def test_mistakes_end_in_one_line_with_status_2(runs, warm, tmp_path):
    done = warm("scripts/compare.py", f"{runs}/*", "--anchor", "nosuch", "--output", tmp_path / "o")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "anchor='nosuch' must be one of the curves: mixed, uniform_noise." in done.stderr
    assert not (tmp_path / "o").exists()
