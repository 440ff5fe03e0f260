"""A metric added by one record: rows, CSV, JSON, tables, comparisons; results from before it."""

from __future__ import annotations

import csv
import json
import pathlib

import numpy as np
import pytest

from evaluation.comparison.curves import curve_of_runs
from evaluation.comparison.measurements import read_measurement
from evaluation.measure import measure
from evaluation.media import AUDIO, IMAGE
from evaluation.metrics import METRICS, Metric
from evaluation.results import Results, write_results
from evaluation.tables import comparison_table

ROOT = pathlib.Path(__file__).resolve().parents[3]


def largest_error(original, decoded, *sample_rate):
    if original.ndim == 3 and len(original) < 100:
        return float("nan")
    return float(np.abs(np.subtract(original, decoded, dtype=np.float64)).max())


@pytest.fixture(params=[IMAGE, AUDIO], ids=lambda medium: medium.name)
def metric(request, monkeypatch):
    added = Metric(
        key="largest-error",
        column="largest_error",
        name="largest",
        unit="levels",
        medium=request.param,
        function=largest_error,
        definition="largest error of any sample; mean over files of 100 rows and more",
        higher_is_better=False,
        digits=3,
        partial="smaller than 100 rows",
    )
    monkeypatch.setitem(METRICS, added.key, added)
    return added


@pytest.fixture
def rows(metric, codec, sound_codec, photos, sounds, tmp_path):
    if metric.medium is IMAGE:
        return measure(IMAGE, codec, photos, tmp_path / "files")
    return measure(AUDIO, sound_codec, sounds[:1], tmp_path / "files")


def test_it_is_in_rows_files_and_tables(metric, rows, tmp_path):
    write_results(
        Results.from_rows(rows, name="x", description="", dataset="d"), tmp_path / "d.json"
    )
    values = [row["largest_error"] for row in rows if not np.isnan(row["largest_error"])]
    assert values and values[0] > 0
    with (tmp_path / "d.csv").open(newline="") as file:
        records = list(csv.DictReader(file))
    assert [record["largest_error"] for record in records] == [
        str(r["largest_error"]) for r in rows
    ]
    document = json.loads((tmp_path / "d.json").read_text())
    assert document["results"]["largest-error"] == [np.mean(values)]
    assert document["metrics"]["largest-error"] == metric.definition
    table = comparison_table(metric.medium, "x", rows, {})
    assert f"{np.mean(values):.3f}" in table and f"{metric.definition}; lower is better." in (
        table.replace("\n", " ")
    )
    if metric.medium is IMAGE:
        assert "largest: no number for 1 of 3 files (smaller than 100 rows)." in table


def test_it_is_compared_with_its_sign_changed(metric, rows, tmp_path):
    config = {"config": {"lmbda": 1.0, "seed": 0, "quantizer": {}}}
    results = Results.from_rows(rows[:1], name="x", description="", dataset="d", provenance=config)
    write_results(results, tmp_path / "d.json")
    curve = curve_of_runs("x", [read_measurement(tmp_path / "d.json")], metric)
    assert curve.quality.tolist() == [-rows[0]["largest_error"]]
    assert curve.metric.axis == "-largest (levels)"


@pytest.mark.parametrize("path", ["kodak", "kodak8", "spoken_digit"])
def test_results_without_it_are_read_but_not_compared_in_it(metric, path):
    files = [
        file
        for file in sorted((ROOT / "results" / path).rglob("*.json"))
        if file.with_suffix(".csv").exists()
    ][:10]
    assert files
    for file in files:
        measurement = read_measurement(file)
        rows = measurement.rows[0]
        medium = measurement.results.medium
        assert medium.rate in rows.values and medium.metrics[0].key in rows.values
        assert "largest-error" not in rows.values
        if medium is metric.medium and measurement.is_run:
            with pytest.raises(ValueError, match="has no largest-error, only"):
                curve_of_runs("x", [measurement], metric)
