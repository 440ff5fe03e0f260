"""TensorBoard's files: what a finished run was and reached."""

import math

import tensorflow as tf
from tensorboard.plugins.hparams import plugin_data_pb2

from training.monitor import event_folder, write_outcome


def values_in(folder):
    (path,) = folder.glob("events*")
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        yield from event.summary.value


def test_outcome_has_settings_metrics_and_the_configuration(tmp_path):
    points = {"bpp": 0.5, "psnr-rgb": 30.0, "pesq": math.nan}
    settings = {"lmbda": 0.01, "quantizer": "mixed"}
    write_outcome(tmp_path, "runs/one", 7, "a: 1\nb: 2", settings, points)
    found = {value.tag: value for value in values_in(tmp_path)}
    assert tf.make_ndarray(found["final/bpp"].tensor) == 0.5 and "final/pesq" not in found
    assert b"    a: 1\n    b: 2" in tf.make_ndarray(found["configuration"].tensor).item()

    def plugin(tag):
        content = found[tag].metadata.plugin_data.content
        return plugin_data_pb2.HParamsPluginData.FromString(content)

    session = plugin("_hparams_/session_start_info").session_start_info
    assert session.group_name == "runs/one" and session.hparams["lmbda"].number_value == 0.01
    assert session.hparams["quantizer"].string_value == "mixed"
    experiment = plugin("_hparams_/experiment").experiment
    assert [info.name for info in experiment.hparam_infos] == ["lmbda", "quantizer"]
    assert [info.name.tag for info in experiment.metric_infos] == ["final/bpp", "final/psnr-rgb"]


def test_a_run_of_an_older_version_continues_in_its_folder(tmp_path):
    assert event_folder(tmp_path) == tmp_path
    (tmp_path / "tensorboard").mkdir()
    assert event_folder(tmp_path) == tmp_path / "tensorboard"
