"""The audio codec over small real models: exact length and decoding, any rate and channels."""

import numpy as np
import pytest

from assembly.parts import build_model
from codec import AUDIO_HEADER_LIMIT, AudioCodec, DamagedFile, ForeignFile, ImageCodec, container
from codec import blocks as block_coding

SMALL = (
    "model=audio",
    "model.transforms.sample_rate=8000",
    "model.transforms.num_filters=4",
    "model.transforms.latent_channels=8",
    "model.transforms.strides=[4,4]",
    "precision=float32",
)


@pytest.fixture
def make_codec(compose):
    def make(*overrides):
        model = build_model(compose(*SMALL, *overrides))
        # An untrained analysis gives latents near 0: scaled up they fill the tables and leave them.
        kernel = model.transforms._analysis.layers[-1].kernel
        kernel.assign(20 * kernel)
        model.freeze()
        return AudioCodec(model, "small")

    return make


def sound(length, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(length)[:, np.newaxis] / 8000
    tones = np.sin(2 * np.pi * rng.uniform(100, 2000, [1, channels]) * time)
    noise = rng.normal(0, 0.2, [length, channels])
    return (0.1 * (tones + noise)).astype(np.float32)


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 1000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_length_decodes_to_the_test_time_reconstruction(make_codec, length, channels):
    codec, samples = make_codec(), sound(length, channels)
    decoded = codec.decode(codec.encode(samples, 8000))
    assert decoded.samples.dtype == np.int16 and decoded.samples.shape == (length, channels)
    assert decoded.sample_rate == 8000
    np.testing.assert_array_equal(decoded.samples, codec.reconstruct(samples, 8000).samples)


@pytest.mark.parametrize("rate", [1, 7999, 11025, 44100, 96000])
@pytest.mark.parametrize("length", [1, 7, 2999])
def test_any_rate_comes_back_with_its_length(make_codec, rate, length):
    codec, samples = make_codec(), sound(min(length, rate), 2)
    decoded = codec.decode(codec.encode(samples, rate))
    assert decoded.sample_rate == rate and decoded.samples.shape == samples.shape
    np.testing.assert_array_equal(decoded.samples, codec.reconstruct(samples, rate).samples)
