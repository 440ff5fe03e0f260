"""A run that starts from another one's weights."""

import numpy as np
import pytest

from assembly.parts import build_model
from assembly.warm_start import start_from

SMALL = ("precision=float32", "model.transforms.num_filters=8")
HYPER = ("model=mean_scale_hyperprior", "model.transforms.latent_channels=12")


@pytest.fixture
def saved(compose, save_run, tmp_path):
    """Saves an untrained model, with other initial weights than ``build`` has, as a run."""

    def save(*overrides):
        run = tmp_path / "source"
        return save_run(compose(*SMALL, "seed=7", *overrides), run), str(run)

    return save


def same(one, other):
    return [np.array_equal(a, b) for a, b in zip(one, other)]


@pytest.mark.parametrize("choice", ["model=bls2017", "model=lapped"])
def test_another_quantizer_and_lmbda_take_everything(compose, saved, choice):
    size = () if "bls2017" in choice else ("model.transforms.latent_channels=48",)
    source, run = saved(choice, *size, "quantizer=mixed")
    model = build_model(compose(*SMALL, choice, *size, "quantizer=soft_round", "lmbda=0.05"))
    assert not all(same(model.trainable_variables, source.trainable_variables))
    line = start_from(model, run)
    assert all(same(model.trainable_variables, source.trainable_variables))
    total = sum(v.shape.num_elements() for v in model.trainable_variables)
    assert line == f"init_from: {total:,} of {total:,} parameters from {run}"


def test_ms_ssim_goes_on_where_the_mse_was(compose, saved):
    """Its weight is a thousand times as large, the quantization steps must not follow it."""
    size = ("model=lapped", "model.transforms.latent_channels=48")
    source, run = saved(*size, "lmbda=0.013")
    model = build_model(compose(*SMALL, *size, "distortion=ms_ssim", "lmbda=16.64"))
    start_from(model, run)
    pixels = np.random.default_rng(0).integers(0, 256, [1, 64, 64, 3]).astype(np.float32)
    ours, theirs = (each(pixels, training=False) for each in (model, source))
    np.testing.assert_array_equal(ours.reconstructions, theirs.reconstructions)
    np.testing.assert_array_equal(ours.bits, theirs.bits)


def test_another_entropy_model_takes_the_transforms(compose, saved):
    source, run = saved(*HYPER)
    model = build_model(compose(*SMALL, "model=factorized", "model.transforms.latent_channels=12"))
    assert "new parameters in entropy" in start_from(model, run)
    ours, theirs = model.transforms.trainable_variables, source.transforms.trainable_variables
    assert len(ours) == len(theirs) and all(same(ours, theirs))


def test_what_has_another_shape_stays_new(compose, saved):
    source, run = saved(*HYPER)
    config = compose(*SMALL, "model=mean_scale_hyperprior", "model.transforms.latent_channels=10")
    model, fresh = build_model(config), build_model(config)
    line = start_from(model, run)
    assert "new parameters in" in line and "transforms" in line
    shapes = set()
    for ours, new, theirs in zip(*(m.trainable_variables for m in (model, fresh, source))):
        fits = new.shape == theirs.shape
        np.testing.assert_array_equal(ours, theirs if fits else new)
        shapes.add(fits)
    assert shapes == {True, False}


def test_refuses_what_fits_nowhere_and_what_is_not_trained(compose, saved, tmp_path):
    _, run = saved("model=bls2017")
    audio = build_model(compose("model=audio", "data=tones", "model.transforms.num_filters=4"))
    with pytest.raises(ValueError, match=r"init_from='.*source': no parameter of that run fits"):
        start_from(audio, run)
    with pytest.raises(FileNotFoundError, match="is not a run directory"):
        start_from(audio, str(tmp_path / "none"))
