"""The whole report of a codec on a dataset: files, table, figure, warnings."""

import csv
import json

from evaluation.report import report


def test_leaves_files_data_table_and_figure(codec, photos, tmp_path, capsys):
    results = report(codec, lambda: iter(photos), tmp_path, dataset="three", provenance={"seed": 7})
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "three",
        *(f"three.{suffix}" for suffix in ("json", "csv", "txt", "png", "svg")),
    }
    coded = sorted((tmp_path / "three").iterdir())
    assert len(coded) == len(photos)
    with (tmp_path / "three.csv").open() as file:
        rows = list(csv.DictReader(file))
    sizes = {8 * path.stat().st_size for path in coded}
    assert {int(row["bits_coded"]) for row in rows} == sizes
    assert json.loads((tmp_path / "three.json").read_text())["provenance"] == {"seed": 7}
    output = capsys.readouterr().out
    assert (tmp_path / "three.txt").read_text().strip() in output
    assert "warning" not in output
    assert results.dataset.files == len(photos)


def test_a_collapse_is_said(codec, photos, tmp_path, capsys, monkeypatch):
    honest = codec.estimate_bits

    def shrunken(pixels):
        return honest(pixels)._replace(noise=4 * honest(pixels).rounded)

    monkeypatch.setattr(codec, "estimate_bits", shrunken)
    report(codec, lambda: iter(photos[:1]), tmp_path, dataset="one", provenance={})
    assert "warning: the latents have collapsed: rounded they hold 25%" in capsys.readouterr().out


def test_the_gap_between_training_and_coding_is_said(codec, photos, tmp_path):
    results = report(codec, lambda: iter(photos[:2]), tmp_path, dataset="two", provenance={})
    heading, rate, quality, fixed = (tmp_path / "two.txt").read_text().splitlines()[-4:]
    assert heading.split()[-4:] == ["training", "value", "rounded", "coded"]
    point = {key: values[0] for key, values in results.points.items()}
    keys = ("bpp-training", "bpp-rounded", "bpp")
    assert rate.split()[-3:] == [f"{point[key]:.4f}" for key in keys]
    assert point["bpp-training"] < point["bpp-rounded"] < point["bpp"] < point["bpp-fixed-length"]
    assert quality.split()[-3:-1] == [
        f"{point['psnr-rgb-training']:.2f}",
        f"{point['psnr-rgb']:.2f}",
    ]
    assert point["psnr-rgb-training"] > point["psnr-rgb"]
    assert fixed.split()[-1] == f"{point['bpp-fixed-length']:.4f}"
