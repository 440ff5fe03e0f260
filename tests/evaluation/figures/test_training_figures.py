"""Training curves: the log is read as it is, schedules are told from constants, files appear."""

import matplotlib
import numpy as np
import pytest

from evaluation.figures import training
from evaluation.figures.training import (
    _round_numbers,
    annealed_columns,
    read_log,
    write_training_curves,
)

IMAGE = "step,loss,bpp,distortion,mse,penalty,psnr,images_per_second,data_wait_share,alpha,tau"


def write(folder, *lines, header=IMAGE):
    path = folder / "training.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_reads_the_log_and_tells_schedules_from_constants(tmp_path):
    log = read_log(write(tmp_path, "100,5,1,9,9,0,20,50,.1,7,.5", "200,4,1,8,8,0,21,50,.1,8,.5"))
    np.testing.assert_array_equal(log["step"], [100, 200])
    np.testing.assert_array_equal(log["psnr"], [20, 21])
    assert annealed_columns(log) == ("alpha",)


@pytest.mark.parametrize(
    ("lines", "message"),
    [((), "has no lines yet"), (("100,five,1,9,9,0,20,50,.1,7,.5",), "is not a training log")],
)
def test_refuses_what_is_no_log(tmp_path, lines, message):
    with pytest.raises(ValueError, match=message):
        read_log(write(tmp_path, *lines))


@pytest.mark.parametrize("limits", [(1.9, 7.6), (0.31, 0.95), (1, 300), (0.02, 70)])
def test_a_logarithmic_axis_has_some_round_numbers(limits):
    ticks = _round_numbers(*limits)
    assert 4 <= len(ticks) <= 11 and limits[0] <= min(ticks) and max(ticks) <= limits[1]
    assert all(float(f"{tick:.2g}") == pytest.approx(tick) for tick in ticks)


def test_draws_annealed_values_once_for_equal_schedules(tmp_path):
    rows = ["100,5,1,9,9,0,20,50,.1,7,.5", "200,4,1,8,8,0,21,50,.1,8,.5"]
    log = read_log(write(tmp_path, *rows))
    paths = write_training_curves(tmp_path / "curves.png", {"one": log, "two": log})
    assert [path.name for path in paths] == ["curves.png", "curves.svg"]
    drawn = paths[1].read_text()
    constant = {**log, "alpha": np.array([7.0, 7.0])}
    without = write_training_curves(tmp_path / "constant.png", {"one": constant})
    assert len(without[1].read_text()) < len(drawn)


def test_long_numbers_leave_the_label_inside(tmp_path):
    rows = ["100,5,.16501,9,9,0,20,50,.1,7,.5", "200,4,.16722,8,8,0,21,50,.1,8,.5"]
    log = read_log(write(tmp_path, *rows))
    with matplotlib.rc_context({"font.size": training._FONT}):
        figure = training._curves({"one": log}, "bpp")
    figure.canvas.draw()
    assert len(figure.axes[0].get_yticklabels()[0].get_text()) >= 6
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.width


def test_refuses_images_beside_sound(tmp_path):
    log = read_log(write(tmp_path, "100,5,1,9,9,0,20,50,.1,7,.5"))
    with pytest.raises(ValueError, match="all of images or all of audio"):
        write_training_curves(tmp_path / "x", {"one": log, "two": {**log, "kbps": log["bpp"]}})
