"""Results files and their rows: found once each, read, and refused if they do not agree."""

import numpy as np
import pytest

from evaluation.comparison.curves import curve_of_runs
from evaluation.comparison.measurements import find_results, read_measurement
from evaluation.metrics import METRICS


@pytest.fixture
def path(write_runs, tmp_path):
    """The results of one run, of 8 images."""
    write_runs(tmp_path, "a", "quantizer=mixed", seeds=(0,), lmbdas=(0.013,))
    return tmp_path / "a-0.013-0" / "results" / "kodak.json"


def test_a_csv_that_is_not_of_its_json_is_refused(path):
    table = path.with_suffix(".csv")
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(ValueError, match=r"kodak\.csv holds 7 images .* its JSON file 8"):
        read_measurement(path)
    psnr = read_rows(lines)["psnr"][0]
    table.write_text("\n".join([lines[0], lines[1].replace(psnr, "99.0"), *lines[2:]]) + "\n")
    with pytest.raises(ValueError, match=r"the mean psnr-rgb is 3\d\.\d+, in its JSON file"):
        read_measurement(path)
    table.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="not a table of measured files"):
        read_measurement(path)


def read_rows(lines):
    return dict(zip(lines[0].split(","), zip(*(line.split(",") for line in lines[1:]))))


def test_a_csv_without_the_column_of_a_metric_still_loads(path):
    """A metric that is added to the project must not make older results unreadable."""
    whole = read_measurement(path)
    table = path.with_suffix(".csv")
    columns = read_rows(table.read_text().splitlines())
    del columns["ms_ssim"]
    table.write_text("\n".join(map(",".join, [columns, *zip(*columns.values())])) + "\n")
    older = read_measurement(path)
    assert older.rows[0].digests == whole.rows[0].digests
    assert "ms-ssim-rgb" not in older.rows[0].values
    np.testing.assert_array_equal(
        older.rows[0].values["psnr-rgb"], whole.rows[0].values["psnr-rgb"]
    )
    curve = curve_of_runs("mixed", [older], METRICS["ms-ssim-rgb"])
    assert curve.file_rates is None and np.isfinite(curve.quality).all()
    assert curve_of_runs("mixed", [older], METRICS["psnr-rgb"]).file_rates is not None


def test_patterns_directories_and_files_name_each_result_once(path, tmp_path, write_runs):
    write_runs(tmp_path, "a", "quantizer=mixed", seeds=(0,), lmbdas=(0.18,))
    (tmp_path / "a.log").write_text("")
    patterns = [str(tmp_path / "a*"), str(path.parents[1]), str(path)]
    files, skipped, _ = find_results(patterns, "kodak")
    assert [file.parent.parent.name for file in files] == ["a-0.013-0", "a-0.18-0"]
    assert [path.name for path in skipped] == ["a.log"]
    with pytest.raises(ValueError, match="results only on kodak, not on dataset='clic'"):
        find_results([str(path.parents[1])], "clic")
    with pytest.raises(FileNotFoundError, match="names no run directory"):
        find_results([str(tmp_path / "z*")], "kodak")


def test_a_run_for_every_rate_has_its_results_at_each_quality(path, tmp_path):
    run = path.parents[1]
    for name in ("kodak-q0", "kodak-q37.5", "kodak-q1e-05", "kodak-q50-first3", "kodak-sga-q50"):
        path.with_name(f"{name}.json").write_bytes(path.read_bytes())
    files, _, unmeasured = find_results([str(run)], "kodak")
    assert [file.stem for file in files] == ["kodak-q0", "kodak-q1e-05", "kodak-q37.5"]
    assert not unmeasured
    files, _, _ = find_results([str(run)], "kodak-q0")
    assert [file.stem for file in files] == ["kodak-q0"], "one of them by its name"
