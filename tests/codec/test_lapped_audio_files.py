"""Files of ``model=lapped_audio``: with side information and shaped steps, yet exact."""

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model
from codec import AUDIO_HEADER_LIMIT, AudioCodec, ForeignFile
from codec import blocks as block_coding

SMALL = (
    "model=lapped_audio",
    "data=tones",
    "lmbda=0.1",
    "model.transforms.num_filters=8",
    "model.transforms.latent_channels=48",
    "model.hyper.num_filters=4",
    "model.hyper.context_channels=16",
    "model.hyper.slices=3",
    "precision=float32",
)


@pytest.fixture
def make(compose):
    def make(*overrides):
        model = build_model(compose(*SMALL, *overrides))
        # An untrained context predicts the usual scales everywhere.
        noise = np.random.default_rng(0)
        for variable in model.hyper.trainable_variables:
            if "kernel" in variable.name:
                variable.assign_add(noise.normal(0, 0.1, variable.shape))
        model.freeze()
        return AudioCodec(model, "small")

    return make


def recording(length, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(length)[:, np.newaxis] / 8000
    tones = np.sin(2 * np.pi * rng.uniform(100, 2000, [1, channels]) * time)
    return (0.1 * tones + rng.normal(0, 0.02, [length, channels])).astype(np.float32)


def assert_decodes(codec, samples, rate=8000):
    data = codec.encode(samples, rate)
    decoded = codec.decode(data)
    assert decoded.samples.shape == samples.shape and decoded.sample_rate == rate
    np.testing.assert_array_equal(decoded.samples, codec.reconstruct(samples, rate).samples)
    return data


def test_any_length_channels_and_rate_decode_to_the_test_time_reconstruction(make):
    codec = make()
    for length, channels, rate in [
        *((1, 1, 8000), (47, 2, 8000), (48, 6, 8000), (49, 1, 8000)),
        *((2999, 2, 44100), (700, 1, 7999)),
    ]:
        assert_decodes(codec, recording(length, channels), rate)
    assert_decodes(codec, np.zeros([300, 1], np.float32))


def test_every_kind_of_quantizer_of_integers_codes_and_its_size_is_the_estimate(
    make, quantizer_kind, refuses_damage
):
    try:
        codec = make(f"quantizer={quantizer_kind}")
    except ValueError as error:
        assert "codes integers, but the quantizer yields indices" in str(error)
        pytest.skip("its alphabet is indices, which side information refuses")
    samples = recording(2000, 2)
    data = assert_decodes(codec, samples)
    bits = codec.quantize(samples, 8000).estimate_bits()
    assert 0 < bits.side < bits.rounded and np.isfinite([bits.noise, bits.training]).all()
    slack = 8 * (AUDIO_HEADER_LIMIT + 4 + 4 + 2 + 2 * 8)  # CRC, length, two ends and seeds
    assert abs(8 * len(data) - bits.rounded) <= 0.005 * bits.rounded + slack
    refuses_damage(codec, data)


def test_an_untrained_model_follows_the_waveform(make):
    codec, samples = make(), recording(8000)
    decoded = codec.decode(codec.encode(samples, 8000)).samples / 32768
    assert np.sum(samples**2) > 40 * np.sum((samples - decoded) ** 2)  # 16 dB


def test_channels_are_coded_by_themselves(make):
    """A loud second channel changes nothing in the first but the common gain, here none."""
    codec = make()
    one, other = recording(3200), recording(3200, seed=1)
    latents = [
        codec.model.analyze(tf.constant(np.stack(rows)))
        for rows in ([one, other], [one, 0 * other])
    ]
    values = [codec._coder.quantize(block).values for block in map(_latents, latents)]
    np.testing.assert_allclose(values[0][0], values[1][0], atol=1e-5)


def _latents(values):
    from codec.latent_coder import Latents

    return Latents(values)


def test_long_audio_is_coded_in_blocks(make, monkeypatch):
    codec, samples = make(), recording(6400, 2)
    monkeypatch.setattr(block_coding, "POSITIONS", 101)
    assert len(block_coding.columns_of_blocks(2, 134)) == 3
    assert_decodes(codec, samples)


def test_another_shaping_of_steps_is_another_model(make):
    data = make().encode(recording(500), 8000)
    other = make("model.hyper.shaping=0.25")
    with pytest.raises(ForeignFile, match="another model"):
        other.decode(data)
