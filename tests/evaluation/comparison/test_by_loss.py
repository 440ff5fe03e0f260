"""Runs of one lmbda have no curve: they are ranked by their loss."""

import csv
import json

import matplotlib
import numpy as np
import pytest

from evaluation.comparison import by_loss
from evaluation.figures.losses import Difference, _figure
from evaluation.figures.style import STYLE
from evaluation.results import Dataset
from signals.image_files import NamedImage


def test_runs_of_one_lmbda_are_ranked_by_loss(compared, write_runs, tmp_path):
    folder, lmbdas = tmp_path / "runs", (0.013,)
    write_runs(folder, "u", "quantizer=uniform_noise", lmbdas=lmbdas)
    write_runs(folder, "m", "quantizer=mixed", factor=0.8, lmbdas=lmbdas)
    text = compared(f"{folder}/*", anchor="uniform_noise")
    document = json.loads((tmp_path / "o/comparison.json").read_text())
    first, second = document["curves"]
    assert [first["name"], second["name"]] == ["mixed", "uniform_noise"]
    # Rate is a part of the loss, so that a fifth fewer bits are less than a fifth of it.
    assert -20 < first["loss_percent"] < -1 and second["loss_percent"] is None
    low, high = first["interval_percent"]
    assert low < first["loss_percent"] < high < 0
    (contrast,) = (each for each in document["contrasts"] if each["measure"] == "loss")
    assert [first["p"], first["p_holm"]] == [contrast["p"], contrast["p_holm"]]
    assert first["probability_of_improvement"] == contrast["better"]
    with (tmp_path / "o/comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["p"]) == contrast["p"] and rows[1]["p"] == ""
    assert first["loss"] == pytest.approx(
        first["rate"] + 0.013 * 255**2 / 10 ** (first["quality"] / 10), rel=0.05
    )
    assert "| 1 | mixed | 3 |" in text and "has 1 point; BD-rate needs at least 4" in text
    for name in ("comparison.md", "comparison.csv", "contrasts.csv", "losses.png", "losses.svg"):
        assert (tmp_path / "o" / name).stat().st_size > 100
    assert text.endswith("\nno report page: it needs BD-rates.")
    image = NamedImage("a", np.zeros([8, 8, 3], np.uint8))
    text = compared(f"{folder}/*", anchor="uniform_noise", images=[image])
    assert text.endswith("\nno report page: it needs BD-rates; --images is not used.")
    assert not (tmp_path / "o" / "report.html").exists()


def test_a_curve_without_a_test_is_no_anchor_and_comes_last(
    compared, write_runs, tmp_path, monkeypatch
):
    folder, lmbdas = tmp_path / "runs", (0.013,)
    for name, factor in (("uniform_noise", 1.0), ("mixed", 1.1), ("soft_round", 0.8)):
        write_runs(folder, name, f"quantizer={name}", factor=factor, lmbdas=lmbdas)
    write_runs(folder, "r", "quantizer=ramp", factor=0.6, lmbdas=lmbdas)
    drawn = []
    monkeypatch.setattr(
        by_loss, "write_losses", lambda _, panels, **__: drawn.extend(*panels.values())
    )
    pairs = [("mixed", "uniform_noise"), ("soft_round", "mixed")]
    text = compared(f"{folder}/*", anchor="uniform_noise", contrasts=pairs)
    table, tests, *_ = ([line.split(" | ") for line in each.splitlines()[2:]]
                        for each in text.split("\n\n"))  # fmt: skip
    assert [line[:2] for line in table] == [
        ["| 1", "uniform_noise"], ["| 2", "mixed"], ["| -", "ramp"], ["| -", "soft_round"],
    ]  # fmt: skip
    assert table[0][6:8] == ["0", "anchor"] and table[2][6:] == ["-"] * 4 + ["- |"]
    assert [line[:2] for line in tests] == [["| soft_round against mixed", "loss"]]
    assert [each.name for each in drawn] == ["mixed"]
    curves = json.loads((tmp_path / "o/comparison.json").read_text())["curves"]
    assert [each["rank"] for each in curves] == [1, 2, None, None]


def test_a_loss_that_files_tell_needs_no_metric(compared, write_runs, tmp_path):
    folder, lmbdas = tmp_path / "runs", (0.013,)
    for name, loss in (("uniform_noise", 1.0), ("mixed", 0.7)):
        given = (f"quantizer={name}", "distortion=speech")
        write_runs(folder, name, *given, lmbdas=lmbdas, loss=loss)
    text = compared(f"{folder}/*", anchor="uniform_noise")
    first, second = json.loads((tmp_path / "o/comparison.json").read_text())["curves"]
    assert first["name"] == "mixed" and first["loss_percent"] == pytest.approx(-30)
    assert first["loss"] == pytest.approx(0.7 * second["loss"])
    assert "| -30.00 |" in text
    other = ("quantizer=ramp", "distortion=speech", "distortion.weights.mel=3")
    write_runs(folder, "ramp", *other, lmbdas=lmbdas, loss=0.5)
    compared(f"{folder}/*", anchor="uniform_noise")
    document = json.loads((tmp_path / "o/comparison.json").read_text())
    assert any("needs runs of one distortion" in each for each in document["notes"])


def test_the_metric_that_is_asked_for_stands_beside_the_loss(compared, write_runs, tmp_path):
    folder, lmbdas = tmp_path / "runs", (0.013,)
    for name in ("uniform_noise", "mixed", "ramp"):
        write_runs(folder, name, f"quantizer={name}", lmbdas=lmbdas)
    for path in folder.glob("ramp-*/results/kodak.json"):
        document = json.loads(path.read_text())
        del document["results"]["ms-ssim-rgb"]
        path.write_text(json.dumps(document))
    text = compared(f"{folder}/*", anchor="uniform_noise", metric="ms-ssim-rgb")
    assert "| bpp | MS-SSIM (dB) | difference (%) |" in text
    document = json.loads((tmp_path / "o/comparison.json").read_text())
    first, second = document["curves"]
    mean = 0.9 + 3.5 / 1000  # of the eight images
    assert first["quality"] == second["quality"] == pytest.approx(-10 * np.log10(1 - mean))
    assert document["not_ranked"][0]["name"] == "ramp" and "has no ms-ssim-rgb" in text


def blank(path, column, lines, value="nan"):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for line in lines:
        rows[line][column] = value
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_files_without_a_loss_are_in_no_mean(compared, write_runs, tmp_path):
    """As small images under MS-SSIM; and a decoder that gives silence has an SI-SDR of -inf."""
    folder, lmbdas = tmp_path / "runs", (0.013,)
    for name, loss in (("uniform_noise", 1.0), ("mixed", 0.7)):
        write_runs(folder, name, f"quantizer={name}", lmbdas=lmbdas, loss=loss)
    compared(f"{folder}/*", anchor="uniform_noise")
    whole = json.loads((tmp_path / "o/comparison.json").read_text())["curves"]
    for path in folder.glob("*/results/kodak.csv"):
        blank(path, "loss", [0])
    for path in folder.glob("mixed-*/results/kodak.csv"):
        blank(path, "psnr", [1], "inf")
        document = json.loads(path.with_suffix(".json").read_text())
        document["results"]["psnr-rgb"] = [None]
        path.with_suffix(".json").write_text(json.dumps(document))
    text = compared(f"{folder}/*", anchor="uniform_noise")
    curves = json.loads((tmp_path / "o/comparison.json").read_text())["curves"]
    # The first of eight images has the fewest bits, 1 of 1 to 1.7 times as many.
    for each, before in zip(curves, whole):
        assert each["loss"] == pytest.approx(before["loss"] * (9.8 / 7) / (10.8 / 8))
    assert "| 1 | mixed | 3 |" in text and "| -30.00 |" in text
    assert curves[0]["quality"] is None and curves[1]["quality"] > 20


def test_runs_of_one_curve_on_other_files_cost_its_place_alone(compared, write_runs, tmp_path):
    folder, lmbdas = tmp_path / "runs", (0.013,)
    for name in ("uniform_noise", "mixed", "ramp"):
        write_runs(folder, name, f"quantizer={name}", lmbdas=lmbdas)
    path = folder / "ramp-0.013-2/results/kodak.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:4]))
    rows = list(csv.DictReader(lines[:4]))
    document = json.loads(path.with_suffix(".json").read_text())
    document["dataset"] = Dataset.from_digests("kodak", [row["sha256"] for row in rows])._asdict()
    document["results"] = {"bpp": [np.mean([float(row["bpp"]) for row in rows])]}
    path.with_suffix(".json").write_text(json.dumps(document))
    text = compared(f"{folder}/*", anchor="uniform_noise")
    (row,) = (line for line in text.splitlines() if "| not ranked |" in line)
    assert row.startswith("| - | ramp |") and "was measured on other files than" in row


def test_files_of_an_earlier_comparison_do_not_stay(
    compared, published, runs, write_runs, tmp_path
):
    output, lmbdas = tmp_path / "o", (0.013,)
    (jpeg, webp), one = (published("JPEG"), published("WebP", 0.7)), tmp_path / "one"
    for name in ("uniform_noise", "mixed"):
        write_runs(one, name, f"quantizer={name}", lmbdas=lmbdas)

    def written(*results, **options):
        text = compared(*results, resamples=100, **options)
        names = text.split("wrote to")[1].split("\n")[0].split(": ")[1].split(", ")
        assert sorted([*names, "mine.txt"]) == sorted(path.name for path in output.iterdir())
        return names

    output.mkdir()
    (output / "mine.txt").write_text("stays")
    assert "files.csv" in written(f"{runs}/*", anchor="mixed")
    assert "losses.svg" in written(f"{one}/*", anchor="mixed")
    assert "report.html" in written(jpeg, webp, anchor="JPEG")
    write_runs(one, "r", "quantizer=ramp", lmbdas=lmbdas)
    pairs = [("ramp", "uniform_noise")]
    assert "losses.svg" not in written(f"{one}/*", anchor="mixed", contrasts=pairs)


def test_what_cannot_be_ranked_is_said(compared, write_runs, tmp_path):
    folder, lmbdas = tmp_path / "runs", (0.013,)
    for name in ("uniform_noise", "mixed"):
        write_runs(folder, name, f"quantizer={name}", lmbdas=lmbdas, seeds=(0, 1, 2, 3))
    write_runs(folder, "r", "quantizer=ramp", "distortion=speech", lmbdas=lmbdas)
    (folder / "mixed-0.013-0/results/kodak.json").write_text("not JSON")
    (folder / "mixed-0.013-1/results/kodak.json").unlink()
    (folder / "u.log").write_text("not a run\n")
    text = compared(f"{folder}/*", anchor="uniform_noise")
    rows = [line for line in text.splitlines() if "| not ranked |" in line]
    assert (
        len(rows) == 2 and len({line.count("|") for line in text.split("\n\n")[0].split("\n")}) == 1
    )
    assert rows[0].startswith("| - | ramp |") and "has no loss of each file" in rows[0]
    assert "kodak.json is not a JSON results file" in rows[1]
    document = json.loads((tmp_path / "o/comparison.json").read_text())
    assert [each["rank"] for each in document["curves"]] == [1, 2]
    assert document["not_ranked"][0]["name"] == "ramp" and len(document["not_ranked"]) == 2
    for sentence in ("Skipped, because not JSON: u.log.",
                     "Runs without results on kodak: mixed-0.013-1."):  # fmt: skip
        assert sentence in document["notes"] and f"- {sentence}" in text


def test_only_too_few_points_of_the_anchor_are_ranked_by_loss(compared, write_runs, tmp_path):
    folder, lmbdas = tmp_path / "runs", (0.013,)
    for name in ("uniform_noise", "mixed"):
        write_runs(folder, name, f"quantizer={name}", lmbdas=lmbdas)
    write_runs(tmp_path / "falling", "r", "quantizer=ramp", lmbdas=(0.1, 0.2, 0.3, 0.4, 0.5))
    for path in (tmp_path / "falling").glob("r-0.5-*"):
        (path / "results/kodak.csv").unlink()
        results = path / "results/kodak.json"
        found = json.loads(results.read_text())
        found["results"]["psnr-rgb"] = [20.0]
        results.write_text(json.dumps(found))
    write_runs(tmp_path / "twice", "u", "quantizer=uniform_noise", seeds=(0,), lmbdas=lmbdas)
    results = f"{folder}/*", f"{tmp_path}/falling/*"
    twice = (f"{folder}/*", f"{tmp_path}/twice/*")
    cases = [
        (results, {"anchor": "mixed", "metric": "si-sdr"}, "si-sdr is a metric of recordings"),
        (results, {"anchor": "ramp"}, "needs quality that rises with the rate"),
        (twice, {"anchor": "uniform_noise"}, "are both lmbda=0.013 seed=0"),
        (twice, {"anchor": "mixed"}, "are both lmbda=0.013 seed=0"),
    ]
    for files, options, message in cases:
        with pytest.raises(ValueError, match=message):
            compared(*files, **options)
    assert not (tmp_path / "o").exists()


def test_published_files_of_one_point_have_neither(compared, published):
    files = [published(name, path=None) for name in ("a", "b")]
    for file in files:
        found = json.loads(file.read_text())
        found["results"] = {key: values[:1] for key, values in found["results"].items()}
        file.write_text(json.dumps(found))
    with pytest.raises(ValueError, match="has 1 point; BD-rate needs at least 4"):
        compared(*files, anchor="a")


def drawn(differences, *others):
    """The first axes of the figure."""
    with matplotlib.rc_context(STYLE):
        panels = dict(enumerate([differences, *others]))
        figure = _figure({f"panel {number}": panel for number, panel in panels.items()}, "anchor")
        figure.canvas.draw()
    return figure.axes[0]


def test_panels_share_rows_and_axis():
    first = [Difference("a", -2.0, -3.0, -1.0), Difference("b", 1.0, 0.0, 2.0)]
    axes = drawn(first, [Difference("c", -3.0, -5.0, -1.0), Difference("a", 0.5, 0.0, 1.0)])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    other = axes.figure.axes[1]
    assert axes.get_xlim() == other.get_xlim() and axes.get_xlim()[0] < -5.0
    points = [line.get_xydata()[0].tolist() for line in other.lines if line.get_marker() == "o"]
    assert sorted(points) == [[-3.0, 0.0], [0.5, 2.0]], (
        "c is in the last row, a in the first, b nowhere"
    )


def test_intervals_are_whole_or_end_in_arrows():
    axes = drawn([Difference("only", -0.1, -3.0, 2.8)])
    assert axes.get_xlim()[0] < -3.0 and axes.get_xlim()[1] > 2.8
    near = [Difference(name, 1.0, -2.0, 2.0) for name in "abc"]
    for low, high, expected in (
        (-50.0, 3.0, {"<": -6.0}), (-3.0, 50.0, {">": 6.0}), (-50.0, 50.0, {"<": -6.0, ">": 6.0}),
    ):  # fmt: skip
        axes = drawn([*near, Difference("wide", 1.5, low, high)])
        found = {line.get_marker(): line.get_xdata()[0] for line in axes.lines}
        assert {key: found[key] for key in "<>" if key in found} == expected
        left, right = axes.get_xlim()
        assert all(left < at < right for at in expected.values())


def test_a_curve_far_away_does_not_squeeze_the_others():
    differences = [
        Difference("near", -1.0, -1.5, -0.5),
        Difference("sigmoid (slope=2) " * 4, 2.0, 1.0, 3.0),
        Difference("$far$_", 900.0, 800.0, 1000.0),
    ]
    axes = drawn(differences)
    assert axes.get_xlim()[0] < -1.5 and 3 < axes.get_xlim()[1] < 10
    assert [text.get_text() for text in axes.texts] == ["+900 %"]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:2] == ["near", "sigmoid (slope=2) sigmoid (slope=2) sig…"]
    figure = axes.figure
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < figure.get_figwidth() + 0.02, "nothing is cut off"
