"""benchmarks/losses_side_by_side.py: panels of comparisons by loss."""

import json

import pytest


@pytest.fixture
def comparison(tmp_path):
    """``comparison(name, anchor)``: the folder of a comparison of three curves."""

    def write(name, anchor="noise"):
        curves = [
            {"name": "a", "loss_percent": -2.0, "interval_percent": [-3.0, -1.0]},
            {"name": anchor, "loss_percent": None, "interval_percent": None},
            {"name": "b", "loss_percent": 1.0, "interval_percent": [0.0, 2.0]},
        ]
        (tmp_path / name).mkdir()
        document = {"anchor": anchor, "curves": curves}
        (tmp_path / name / "comparison.json").write_text(json.dumps(document))
        return tmp_path / name

    return write


def draw(warm, folder, *panels):
    output = folder / "losses.png"
    return output, warm("benchmarks/losses_side_by_side.py", *panels, "--output", output)


def test_writes_a_panel_for_each_comparison(comparison, warm, tmp_path):
    panels = [f"{name}={comparison(name)}" for name in ("one", "two")]
    output, done = draw(warm, tmp_path, *panels)
    assert done.returncode == 0, done.stderr
    assert output.exists() and "one" in output.with_suffix(".svg").read_text()


def test_mistakes_are_one_line(comparison, warm, tmp_path):
    one, other = comparison("one"), comparison("other", anchor="mixed")
    for panels, message in (
        ((f"x={one}", f"y={other}"), "different anchors"),
        ((f"x={one}", f"x={one}"), "must differ"),
        ((str(one),), "must be TITLE=FOLDER"),
        ((f"x={tmp_path / 'none'}",), "No such file"),
    ):
        output, done = draw(warm, tmp_path, *panels)
        assert done.returncode == 2 and message in done.stderr.splitlines()[-1]
        assert not output.exists()
