"""The log that a resumed run continues, whatever a kill or a disk has made of it."""

import csv

import pytest

from training.log_table import LogTable


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "training.csv"
    table = LogTable(path, 0)
    for step in (5, 10, 15, 20):
        table.append({"step": step, "loss": 1.5 / step, "psnr": float("inf")})
    return path


def resumed(path, step):
    table = LogTable(path, step)
    table.append({"step": step + 5, "loss": 0.125, "psnr": 30.0})
    with path.open(newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file) if float(row["loss"]) > 0]


def test_steps_that_are_taken_again_are_there_once(path, capsys):
    assert resumed(path, 10) == [5, 10, 15]
    assert capsys.readouterr().err == ""


def test_it_knows_how_far_the_log_went(path):
    assert LogTable(path, 0).last_step == 20


def test_half_a_row_is_what_a_kill_leaves(path, capsys):
    path.write_bytes(path.read_bytes()[:-9])
    assert resumed(path, 15) == [5, 10, 15, 20]
    assert capsys.readouterr().err == ""


def test_windows_line_ends_of_older_runs(path):
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert resumed(path, 10) == [5, 10, 15]


def test_damage_costs_rows_at_most(path, damage, damage_kind, capsys):
    damage(path, damage_kind)
    steps = resumed(path, 20)
    assert steps[-1] == 25 and set(steps) <= {5, 10, 15, 20, 25}
    assert len(capsys.readouterr().err.splitlines()) <= 1


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (b"step,loss", b"stfp,loss", [5, 10, 15, 20, 25]),
        (b"loss,psnr", b"loss-psnr", [5, 10, 15, 20, 25]),
        (b"\n10,0.15", b"\n10,0.\xff5", [5, 15, 20, 25]),
        (b"\n15,", b"\n1x,", [5, 10, 20, 25]),
    ],
)
def test_damaged_names_come_back_and_damaged_rows_go(path, capsys, old, new, kept):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    assert resumed(path, 20) == kept
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1 and warnings[0].startswith(f"warning: {path} was damaged and ")


def test_an_emptied_log_starts_again(path, capsys):
    path.write_bytes(b"")
    assert resumed(path, 20) == [25]
    assert "was damaged and starts again" in capsys.readouterr().err
