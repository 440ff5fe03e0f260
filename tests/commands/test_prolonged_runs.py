"""Runs that are trained for more steps, and the best of their checkpoints."""

import json

import pytest
import tensorflow as tf

SETTINGS = [
    "model=bls2017",
    "model.transforms.num_filters=4",
    "data.patch_size=32",
    "batch_size=2",
    "log_every=2",
    "checkpoint_every=2",
    "test_images=1",
    "classical=[]",
]
LONGER = ["optimizer.decay_share=0", "quantizer=uniform_noise"]


@pytest.fixture
def train(warm):
    return lambda *overrides: warm("train.py", *SETTINGS, *overrides)


def weights(run):
    reader = tf.train.load_checkpoint(str(run / "model" / "weights"))
    return {name: reader.get_tensor(name).tolist() for name in reader.get_variable_to_shape_map()
            if "save_counter" not in name and "_CHECKPOINTABLE" not in name}  # fmt: skip


@pytest.mark.slow
def test_a_prolonged_run_is_the_longer_run(train, warm, tmp_path):
    prolonged, whole = tmp_path / "prolonged", tmp_path / "whole"
    for run, steps in ((prolonged, 4), (prolonged, 8), (whole, 8)):
        result = train(f"run={run}", f"steps={steps}", *LONGER)
        assert result.returncode == 0, result.stderr
    assert weights(prolonged) == weights(whole)
    assert {path.name for path in prolonged.glob("results*")} == {
        "results",
        "results-after-4-steps",
    }
    best = json.loads((prolonged / "best" / "best.json").read_text())
    rows = [line.split(",") for line in (prolonged / "validation.csv").read_text().splitlines()]
    losses = [float(row[rows[0].index("loss")]) for row in rows[1:]]
    assert best["loss"] == pytest.approx(min(losses), rel=1e-5) and best["step"] in (2, 4, 6, 8)
    result = warm("evaluate.py", f"run={prolonged}", "checkpoint=best", "limit=1", "classical=[]")
    assert result.returncode == 0 and list((prolonged / "results").glob("photos-best*.json"))


@pytest.mark.slow
def test_a_schedule_to_the_last_step_cannot_be_prolonged(train, tmp_path):
    run = tmp_path / "run"
    assert train(f"run={run}", "steps=4", "quantizer=soft_round").returncode == 0
    result = train(f"run={run}", "steps=8", "quantizer=soft_round")
    assert result.returncode == 2 and len(result.stderr.strip().splitlines()) == 1
    assert "cannot be prolonged, because" in result.stderr and (run / "model").exists()
