"""The image codec over small real models: exact sizes, exact decoding, refusal of other models."""

import resource
import time

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model
from codec import DamagedFile, ForeignFile, ImageCodec, TooLarge, container
from codec.latent_coder import Latents

SIZES = [(1, 1), (1, 40), (15, 17), (16, 16), (33, 47), (64, 48)]


@pytest.fixture
def make_codec(compose):
    def make(*overrides, freeze=True):
        small = ("model.transforms.num_filters=8", "precision=float32")
        model = build_model(compose(*small, *overrides))
        # An untrained analysis gives latents near 0: scaled up they fill the tables and leave them.
        for variable in model.transforms.trainable_variables:
            if "kernel" in variable.name:
                variable.assign(3 * variable)
        if freeze:
            model.freeze()
        return ImageCodec(model, "small") if freeze else model

    return make


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3))
    return coarse.repeat(4, 0).repeat(4, 1)[:height, :width].astype(np.uint8)


@pytest.mark.parametrize("model", ["bls2017", "factorized"])
def test_any_size_decodes_to_the_test_time_reconstruction(make_codec, model):
    codec = make_codec(f"model={model}", "seed=1")
    for size in SIZES:
        pixels = picture(*size)
        data = codec.encode(pixels)
        decoded = codec.decode(data)
        assert decoded.dtype == np.uint8 and decoded.shape == (*size, 3)
        np.testing.assert_array_equal(decoded, codec.reconstruct(pixels), err_msg=f"{size}")


def test_every_kind_of_quantizer_codes_and_its_size_is_the_estimate(
    make_codec, quantizer_kind, refuses_damage
):
    check_quantizer(make_codec, quantizer_kind, refuses_damage)


@pytest.mark.slow
def test_every_quantizer_codes_and_its_size_is_the_estimate(
    make_codec, quantizer_name, refuses_damage
):
    """Quantizers of a class code alike: the contract tests show that all of them round."""
    check_quantizer(make_codec, quantizer_name, refuses_damage)


def check_quantizer(make_codec, name, refuses_damage):
    codec = make_codec(f"quantizer={name}")
    pixels = picture(96, 112)
    data = codec.encode(pixels)
    refuses_damage(codec, data)
    np.testing.assert_array_equal(codec.decode(data), codec.reconstruct(pixels))
    bits = codec.quantize(pixels).estimate_bits()
    header = 8 * (container.HEADER_LIMIT + 4)
    assert abs(8 * len(data) - bits.rounded) <= 0.005 * bits.rounded + header
    assert np.isfinite(bits.training)
    if codec.has_fixed_length:
        fixed = codec.encode(pixels, fixed_length=True)
        np.testing.assert_array_equal(codec.decode(fixed), codec.reconstruct(pixels))
        assert abs(8 * len(fixed) - bits.fixed_length) <= header
    else:
        assert bits.noise == codec.quantize(pixels).estimate_bits().noise, "the noise is seeded"


def test_same_seed_same_model_same_fingerprint_others_differ(make_codec):
    one, same, other = make_codec("seed=1"), make_codec("seed=1"), make_codec("seed=2")
    binary = make_codec("seed=1", "quantizer.levels=2")
    assert one.fingerprint == same.fingerprint
    assert len({one.fingerprint, other.fingerprint, binary.fingerprint}) == 3
    data = one.encode(picture(20, 20))
    np.testing.assert_array_equal(same.decode(data), one.decode(data))
    with pytest.raises(ForeignFile, match="another model"):
        other.decode(data)


def test_a_payload_that_no_encoder_writes_is_damage(make_codec):
    codec = make_codec()
    coded = container.unpack(codec.encode(picture(64, 64)), codec.fingerprint)
    for payload in (coded.payload + b"\0", coded.payload + b"\x55" * 8, b""):
        data = container.pack(coded._replace(payload=payload), codec.fingerprint)
        with pytest.raises(DamagedFile):
            codec.decode(data)


@pytest.mark.parametrize(
    "quantizer", ["mixed", "universal", "trellis", "vector", "residual_vector"]
)
def test_no_size_is_believed(make_codec, quantizer):
    codec = make_codec(f"quantizer={quantizer}")
    largest = container.CodedImage(2**14, 2**14, bytes(range(1, 16)))
    largest = container.pack(largest, codec.fingerprint)
    memory, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(TooLarge, match="declares 268435456 pixels, more than --max-size 134217728"):
        codec.decode(largest)
    with pytest.raises(DamagedFile, match="do not decode to 1024 x 1024 x"):
        codec.decode(largest, max_size=None)
    assert time.process_time() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 100 * 2**10, "KiB"


def test_the_limit_is_the_readers(make_codec):
    codec = make_codec()
    data = codec.encode(picture(10, 7))
    assert codec.decode(data, max_size=70).shape == (10, 7, 3)
    with pytest.raises(TooLarge, match="declares 70 pixels, more than --max-size 69"):
        codec.decode(data, max_size=69)


def test_flat_images_are_coded_however_few_bytes_they_take(make_codec):
    """What is refused for its length must not be what an encoder writes."""
    codec = make_codec("entropy=factorized", "entropy.init_scale=0.01", "quantizer=mixed")
    pixels = np.full([1500, 2000, 3], 128, np.uint8)
    data = codec.encode(pixels)
    assert len(data) < 1000
    np.testing.assert_array_equal(codec.decode(data), codec.reconstruct(pixels))


def test_other_pixels_are_refused(make_codec):
    codec = make_codec()
    for shape, dtype in (([4, 4, 3], np.float32), ([4, 4], np.uint8), ([0, 4, 3], np.uint8)):
        with pytest.raises(ValueError, match="must be uint8"):
            codec.encode(np.zeros(shape, dtype))


def test_latents_that_are_not_finite_are_refused(make_codec):
    model = make_codec(freeze=False)
    model.freeze()
    codec = ImageCodec(model, "broken")
    model.transforms.trainable_variables[0].assign(
        tf.fill(model.transforms.trainable_variables[0].shape, np.nan)
    )
    with pytest.raises(ValueError, match="latents are not finite"):
        codec.encode(picture(16, 16))


def test_an_unfrozen_model_is_refused(make_codec):
    with pytest.raises(ValueError, match="must be frozen"):
        ImageCodec(make_codec(freeze=False), "unfrozen")


def test_a_residual_quantizers_files_may_hold_fewer_stages(make_codec):
    model = make_codec("quantizer=residual_vector", freeze=False)
    pixels = picture(64, 64)
    for _ in range(20):  # k-means starts the codebooks, so that each stage has something to refine
        model.quantizer.update(model.analyze(pixels))
    model.freeze()
    codecs = [ImageCodec(model, "rvq", stages) for stages in (1, 2, None)]
    sizes, errors = [], []
    latents = model.analyze(pixels)
    for codec in codecs:
        data = codec.encode(pixels)
        for reader in codecs:
            np.testing.assert_array_equal(reader.decode(data), codec.reconstruct(pixels))
        values = codec._coder.quantize(Latents(latents)).values
        sizes.append(len(data))
        errors.append(float(tf.reduce_mean(tf.math.squared_difference(values, latents))))
        bits = codec.quantize(pixels).estimate_bits()
        assert abs(8 * len(data) - bits.rounded) <= 0.005 * bits.rounded + 8 * 28
    assert sizes == sorted(sizes) and len(set(sizes)) == 3
    assert errors == sorted(errors, reverse=True) and errors[2] < 0.9 * errors[0]


@pytest.mark.parametrize("quantizer", ["residual_vector", "mixed"])
def test_stages_that_there_are_not_are_refused(make_codec, quantizer):
    model = make_codec(f"quantizer={quantizer}", freeze=False)
    model.freeze()
    with pytest.raises(ValueError, match=r"stages=99 must be 1 to \d+ with this quantizer"):
        ImageCodec(model, "small", stages=99)


def test_integers_have_no_fixed_length(make_codec):
    with pytest.raises(ValueError, match="fixed_length=True needs a quantizer of finitely many"):
        make_codec("quantizer=mixed").encode(picture(16, 16), fixed_length=True)


def test_a_dithered_file_carries_its_seed(make_codec):
    pixels = picture(48, 48)
    ours = make_codec("quantizer=universal", "quantizer.dither_seed=77")
    data = ours.encode(pixels)
    decoded = make_codec("quantizer=universal", "quantizer.dither_seed=5").decode(data)
    np.testing.assert_array_equal(decoded, ours.reconstruct(pixels))
