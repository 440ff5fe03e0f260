"""scripts/compare.py as a user runs it."""

import json
import pathlib
import subprocess
import sys

import skimage.data
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[3]
FILES = ["comparison.json", "comparison.md", "comparison.png", "comparison.svg", "report.html"]


def test_a_real_comparison(runs, compared, tmp_path):
    output = tmp_path / "new" / "folder"
    command = (f"{runs}/*", "--anchor", "uniform_noise", "--resamples", "200", "--output", output)
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "compare.py"), *map(str, command)],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert sorted(path.name for path in output.iterdir()) == FILES
    written = (output / "comparison.md").read_text()
    assert done.stdout.startswith(written)
    table = [line for line in written.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert table[2].startswith("| 1 | mixed | 4 | 3 | -") and table[3].startswith(
        "| 2 | uniform_noise | 4 | 3 | 0 | anchor |"
    )
    for words in ("PCHIP", "u.log", "Fewer than 5 seeds", "200 resamples"):
        assert words in written
    record = json.loads((output / "comparison.json").read_text())
    mixed, anchor = record["curves"]
    low, high = mixed["interval_percent"]
    assert low < mixed["bd_rate_percent"] < high and low < -10 < high < 0
    assert mixed["p"] < 0.05 and mixed["bd_quality_db"] > 0
    assert anchor["bd_rate_percent"] == 0 and anchor["interval_percent"] is None
    assert mixed["seeds"] == [[0, 1, 2]] * 4 and mixed["commits"] == ["c0ffee"]
    with Image.open(output / "comparison.png") as image:
        assert image.width == 1440
    again = compared(f"{runs}/*", anchor="uniform_noise", resamples=200, output=output)
    assert again + "\n" == done.stdout, "the bootstrap is seeded"


def test_originals_are_read_from_a_folder(published, warm, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(skimage.data.chelsea()[:160, :240]).save(photos / "photo.png")
    files = (published("JPEG"), published("WebP", 0.7))
    command = (*files, "--anchor", "JPEG", "--output", tmp_path / "o", "--images", photos)
    done = warm("scripts/compare.py", *command, "--bpp", "2")
    assert (done.returncode, done.stderr) == (0, "") and "crops.png, .svg" in done.stdout
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
