"""Files of models for every rate: the quality in the header, exact decoding, a size that is met."""

import numpy as np
import pytest

from assembly.parts import build_model
from codec import AudioCodec, DamagedFile, ForeignFile, ImageCodec, container
from codec.refinement import Objective, StochasticGumbelAnnealing
from codec.refinement import RateDistortionOptimizedQuantization as Rdoq
from codec.target_size import encode_within
from distortion import MeanSquaredError

SMALL = ("precision=float32", "model.transforms.num_filters=8")
MODELS = ["bls2017", "hyperprior", "channel_autoregressive", "lapped"]
QUALITIES = (0, 3333, 10000)


@pytest.fixture
def make_codec(compose):
    def make(model, *overrides):
        model = build_model(compose(f"model={model}", *SMALL, *overrides))
        noise = np.random.default_rng(0)
        for variable in model.trainable_variables:  # An untrained model would code only zeros.
            if "kernel" in variable.name:
                variable.assign(3 * variable)
        if model.rate is not None:
            for variable in model.rate.trainable_variables:
                variable.assign_add(noise.normal(0, 0.1, variable.shape))
        model.freeze()
        kind = AudioCodec if model.transforms.medium == "audio" else ImageCodec
        return kind(model, "small")

    return make


def picture(height=70, width=90):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("model", MODELS)
def test_files_of_every_quality_decode_exactly(make_codec, model, refuses_damage):
    codec, pixels = make_codec(model, "rate=variable"), picture()
    sizes = []
    for quality in QUALITIES:
        quantized = codec.at_quality(quality).quantize(pixels)
        data = quantized.encode()
        sizes.append(len(data))
        # Whatever quality the decoding codec is set to.
        np.testing.assert_array_equal(codec.decode(data), quantized.reconstruct())
        assert container.unpack(data, codec.fingerprint).quality == quality
        bits = quantized.estimate_bits().rounded
        assert abs(8 * len(data) - bits) < 0.005 * bits + 8 * (container.HEADER_LIMIT + 16)
    assert sizes == sorted(set(sizes)), sizes
    refuses_damage(codec, data)


@pytest.mark.parametrize("model", ["audio", "lapped_audio"])
def test_audio_has_every_quality_too(make_codec, model):
    codec = make_codec(model, "data=tones", "rate=variable", "lmbda=0.01")
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (4000, 2)).astype(np.float32)
    sizes = []
    for quality in QUALITIES:
        quantized = codec.at_quality(quality).quantize(samples, 8000)
        data = quantized.encode()
        sizes.append(len(data))
        decoded, expected = codec.decode(data), quantized.reconstruct()
        np.testing.assert_array_equal(decoded.samples, expected.samples)
    assert sizes == sorted(set(sizes)), sizes


def test_the_same_weights_with_other_gains_are_another_model(make_codec):
    codec = make_codec("bls2017", "rate=variable")
    data = codec.encode(picture())
    codec.model.rate._log2_gains.assign_add(np.full([6, 8], 0.01))
    with pytest.raises(ForeignFile, match="another model"):
        ImageCodec(codec.model, "small").decode(data)


def test_models_of_one_rate_refuse_a_quality_and_write_the_first_version(make_codec):
    codec = make_codec("bls2017")
    with pytest.raises(ValueError, match=r"quality=50: small has one rate.*rate=variable"):
        codec.at_quality(5000)
    data = codec.encode(picture())
    assert data[3] == 1
    image = container.unpack(data, codec.fingerprint)._replace(quality=5000)
    with pytest.raises(DamagedFile, match="a model that has one rate"):
        codec.decode(container.pack(image, codec.fingerprint))


def test_a_quality_that_is_missing_or_out_of_range_is_damage(make_codec):
    codec = make_codec("bls2017", "rate=variable")
    data = codec.encode(picture())
    assert data[3] == 2
    image = container.unpack(data, codec.fingerprint)
    with pytest.raises(DamagedFile, match="a model that has every rate"):
        codec.decode(container.pack(image._replace(quality=None), codec.fingerprint))
    with pytest.raises(ValueError, match="quality=10001 must be 0 to 10000 hundredths"):
        container.pack(image._replace(quality=10001), codec.fingerprint)


def test_a_size_is_met_from_below(make_codec):
    codec, pixels = make_codec("bls2017", "rate=variable"), picture()
    sizes = {q: len(codec.at_quality(q).encode(pixels)) for q in QUALITIES}
    most = (sizes[0] + sizes[3333]) // 2
    data, quality = encode_within(codec, (pixels,), most)
    assert 0 < quality < 3333 and len(data) <= most
    assert len(codec.at_quality(quality + 1).encode(pixels)) > most
    data, quality = encode_within(codec, (pixels,), 10**6)
    assert quality == 10000 and len(data) == sizes[10000]
    with pytest.raises(
        ValueError, match=f"100 bytes are too few: at quality 0 the file has {sizes[0]}"
    ):
        encode_within(codec, (pixels,), 100)


@pytest.mark.parametrize("method", [StochasticGumbelAnnealing, Rdoq])
def test_refinement_is_for_the_rate_that_the_codec_is_set_to(make_codec, eagerly, method):
    codec = make_codec("hyperprior", "rate=variable").at_quality(10000)
    assert codec.model.setting.quality == 10000
    lmbda, pixels = 0.01, picture(48, 64)
    refine = method(objective=Objective(codec.model, MeanSquaredError(), lmbda), steps=2)
    refined = refine(pixels)

    def file_loss(latents):
        quantized = codec.quantize(pixels, latents=latents)
        decoded = codec.decode(quantized.encode())
        mse = np.mean((decoded.astype(np.float64) - pixels) ** 2)
        return quantized.estimate_bits().rounded / pixels[..., 0].size + lmbda * mse

    assert file_loss(None) == pytest.approx(refined.loss_before, rel=1e-5)
    assert file_loss(refined.latents) == pytest.approx(refined.loss, rel=1e-5)
    if method is Rdoq:
        flat = np.zeros(codec.model.transforms.latent_channels, np.float32)
        moves = refine.moves(pixels, refined.latents, flat)
        steps = np.abs(moves.values - refined.latents.values) * codec.model.setting.gains[0]
        np.testing.assert_allclose(steps, 1, atol=1e-3)
