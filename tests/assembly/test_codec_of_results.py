"""The codec that wrote the files of a results file: last weights, best ones, a pretrained model."""

import json

import pytest

from assembly.saved_run import codec_of, load_run
from evaluation.results import Results, write_results
from training.best import model_folder
from training.checkpoints import model_digest, save_model
from training.run_directory import RunDirectory


@pytest.fixture(scope="module")
def run(compose, save_run, tmp_path_factory):
    """A run whose best weights are others than its last."""
    directory = RunDirectory(tmp_path_factory.mktemp("runs") / "run")
    overrides = ("model.transforms.num_filters=4", "quantizer=mixed", "precision=float32")
    model = save_run(compose(*overrides), directory.path)
    for variable in model.trainable_variables:
        variable.assign(1.01 * variable + 0.01)
    model.freeze()
    record = json.dumps({"step": 1, "loss": 0.5})
    save_model(
        model,
        directory.best,
        directory.config_file.read_bytes(),
        lambda folder: (folder / "best.json").write_text(record),
    )
    return directory


def measured(folder, **provenance):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "photos.json"
    write_results(Results("codec", "", {"bpp": [1.0]}, provenance=provenance), path)
    return path


@pytest.mark.parametrize("checkpoint", ["last", "best"])
def test_of_a_run(run, checkpoint):
    results = measured(run.results, checkpoint=model_digest(model_folder(run, checkpoint)))
    wanted = load_run(str(run.path), checkpoint=checkpoint).codec
    assert codec_of(results).fingerprint == wanted.fingerprint


def test_of_results_that_do_not_name_their_weights(run):
    wanted = load_run(str(run.path)).codec
    assert codec_of(measured(run.results)).fingerprint == wanted.fingerprint


def test_of_a_pretrained_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = load_run("pretrained:image-1")
    results = measured(wanted.directory.results)
    assert results.resolve().is_relative_to(tmp_path)
    assert codec_of(results).fingerprint == wanted.codec.fingerprint
