"""The loss of decoded files is the run's own: its distortion, its lmbda, its unit of rate."""

import types

import numpy as np
import pytest
from omegaconf import OmegaConf

from assembly.run_objective import RunObjective
from signals.audio_files import NamedRecording
from signals.image_files import NamedImage


def objective(medium, sample_rate=None, **distortion):
    transforms = types.SimpleNamespace(sample_rate=sample_rate)
    model = types.SimpleNamespace(transforms=transforms)
    return RunObjective(
        types.SimpleNamespace(
            config=OmegaConf.create({"distortion": distortion, "lmbda": 2.0}),
            codec=types.SimpleNamespace(model=model),
            medium=medium,
        )
    )


def test_images():
    pixels = np.random.default_rng(0).integers(0, 200, (200, 170, 3)).astype(np.uint8)
    file, decoded = NamedImage("x", pixels), pixels + np.uint8(4)
    found = objective("image", _target_="distortion.MeanSquaredError")(file, decoded, 3400)
    assert found == {"distortion": 16.0, "loss": pytest.approx(0.1 + 32)}
    ssim = objective("image", _target_="distortion.MultiScaleSsim")
    assert ssim(file, pixels, 3400)["loss"] == pytest.approx(0.1, abs=1e-5)
    small = NamedImage("x", pixels[:160])
    assert np.isnan(ssim(small, pixels[:160], 3400)["loss"]), "five scales need 161 pixels"


def test_audio_is_compared_at_the_models_rate_and_level():
    tone = 0.1 * np.sin(np.arange(8000) / 7).astype(np.float32)
    stereo = NamedRecording("x", np.stack([tone, tone], axis=1), 8000)
    measure = objective("audio", sample_rate=16000, _target_="distortion.WaveformError")
    found = measure(stereo, 0.9 * stereo.samples, 6400)
    # A tenth of the amplitude is lost, at -23 dBFS: 1 % of the power, which counts 1000.
    assert found["distortion"] == pytest.approx(10, rel=0.01)
    assert found["loss"] == pytest.approx(6400 / 32000 + 2 * found["distortion"])
    louder = NamedRecording("x", 5 * stereo.samples, 8000)
    assert measure(louder, 4.5 * stereo.samples, 6400) == pytest.approx(found, rel=1e-3)
