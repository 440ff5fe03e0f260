"""benchmarks/rank_correlation.py: two comparisons by loss."""

import pytest


@pytest.fixture
def comparisons(tmp_path):
    """Two tables that disagree on the order of one pair of four curves in common."""
    paths = []
    for name, rows in (
        ("short", {"a": -5.0, "b": -2.0, "noise": "", "c": 3.0, "other": 9.0}),
        ("long", {"a": -1.0, "b": -2.0, "noise": "", "c": 0.5}),
    ):
        lines = ["name,runs,loss_percent", *(f"{key},3,{value}" for key, value in rows.items())]
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text("\n".join(lines) + "\n")
    return paths


def test_curves_in_common_are_ranked(comparisons, warm):
    done = warm("benchmarks/rank_correlation.py", *comparisons)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(": 0.80 of 4 curves\n")


def test_other_files_are_one_line(comparisons, warm, tmp_path):
    for content, message in (("a,b\n1,2\n", "is not the comparison.csv"), (None, "No such file")):
        other = tmp_path / "other.csv"
        other.unlink(missing_ok=True)
        if content is not None:
            other.write_text(content)
        done = warm("benchmarks/rank_correlation.py", comparisons[0], other)
        assert done.returncode == 2 and message in done.stderr.splitlines()[-1]
