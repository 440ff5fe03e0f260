"""Files with side information: exact sizes, exact decoding, and a check of the scale indexes."""

import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model
from codec import DamagedFile, ImageCodec, container
from codec.latent_coder import Latents
from codec.varint import from_varint

PHASED = "lapped_large model.transforms.blocks=1 model.hyper.context_channels=32"
MODELS = [
    "hyperprior", "mean_scale_hyperprior", "channel_autoregressive", "lapped", PHASED,
]  # fmt: skip


@pytest.fixture
def make_codec(compose):
    def make(*overrides, name="small"):
        small = ("model.transforms.num_filters=8", "model.transforms.latent_channels=32")
        model = build_model(compose(*small, "precision=float32", *overrides))
        for variable in model.transforms.trainable_variables:
            if "kernel" in variable.name:
                variable.assign(3 * variable)
        noise = np.random.default_rng(0)
        for variable in model.hyper.trainable_variables:
            if "kernel" in variable.name:
                variable.assign_add(noise.normal(0, 0.15, variable.shape))
        model.freeze()
        return ImageCodec(model, name)

    return make


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3))
    return coarse.repeat(4, 0).repeat(4, 1)[:height, :width].astype(np.uint8)


@pytest.mark.parametrize("model", MODELS)
def test_any_size_decodes_to_the_test_time_reconstruction(make_codec, model):
    codec = make_codec(*f"model={model}".split())
    for size in [(1, 1), (15, 17), (64, 48), (130, 70)]:
        pixels = picture(*size)
        decoded = codec.decode(codec.encode(pixels))
        assert decoded.shape == (*size, 3)
        np.testing.assert_array_equal(decoded, codec.reconstruct(pixels))


def test_noise_is_on_the_latents_that_are_coded_alone(make_codec):
    """Noise on a latent that is known to be 0 would count bits that no file has."""
    coder = make_codec(*f"model={PHASED}".split(), "quantizer=mixed")._coder
    coded = coder.quantize(Latents(coder.model.analyze(picture(64, 64))))
    absent = 0.4 * (1 - coded.present)
    assert 0 < tf.reduce_mean(absent) < 0.4
    assert coder.noise_bits(coded, absent) == coder.noise_bits(coded, 0 * absent)


def test_every_kind_of_grid_codes_and_its_size_is_the_estimate(
    make_codec, quantizer_kind, refuses_damage
):
    refuses_damage(*check_files(make_codec, "mean_scale_hyperprior", quantizer_kind))


@pytest.mark.parametrize(
    ("model", "quantizer"),
    [
        ("hyperprior", "lattice"),
        ("channel_autoregressive", "trellis"),
        ("channel_autoregressive", "universal"),
        ("channel_autoregressive", "vector"),
        (PHASED, "lattice"),
    ],
)
def test_grids_that_are_no_plain_one_code_with_other_models_too(
    make_codec, model, quantizer, refuses_damage
):
    refuses_damage(*check_files(make_codec, model, quantizer))


# All pairs: quantizers of one kind differ while training alone, models in what they predict.
@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_quantizer_of_integers_codes_and_its_size_is_the_estimate(
    make_codec, model, quantizer_name
):
    check_files(make_codec, model, quantizer_name)


def check_files(make_codec, model, quantizer):
    """A file decodes exactly and has the size that was estimated; indices are refused."""
    try:
        codec = make_codec(*f"model={model}".split(), f"quantizer={quantizer}")
    except ValueError as error:
        assert "codes integers, but the quantizer yields indices" in str(error)
        pytest.skip("its alphabet is indices, which this model refuses")
    pixels = picture(96, 112)
    data = codec.encode(pixels)
    np.testing.assert_array_equal(codec.decode(data), codec.reconstruct(pixels))
    bits = codec.quantize(pixels).estimate_bits()
    assert 0 < bits.side < bits.rounded and np.isfinite([bits.noise, bits.training]).all()
    slack = 8 * (container.HEADER_LIMIT + 4 + 4 + 2 + 2 * 8)  # CRC, length, two ends and seeds
    assert abs(8 * len(data) - bits.rounded) <= 0.005 * bits.rounded + slack
    return codec, data


@pytest.mark.parametrize(
    ("model", "hyper_quantizer"),
    zip(MODELS[:4], ["finite_scalar", "universal", "finite_scalar", "universal"]),
)
def test_the_side_information_may_have_a_quantizer_of_its_own(make_codec, model, hyper_quantizer):
    own = make_codec(
        f"model={model}", "quantizer=mixed", f"quantizer@hyper_quantizer={hyper_quantizer}"
    )
    pixels = picture(64, 64)
    np.testing.assert_array_equal(own.decode(own.encode(pixels)), own.reconstruct(pixels))
    same = make_codec(f"model={model}", "quantizer=mixed")
    assert type(own.model.hyper_quantizer) is not type(same.model.hyper_quantizer)
    assert own.quantize(pixels).estimate_bits().side != same.quantize(pixels).estimate_bits().side


def test_measuring_a_file_analyzes_it_once(make_codec, monkeypatch):
    """Bytes, reconstructions and all estimates are of one analysis and one exact prediction."""
    codec, calls = make_codec("model=channel_autoregressive"), collections.Counter()
    model = codec.model

    def count(part, name):
        function = getattr(part, name)

        def counted(*arguments, **more):
            calls[" ".join([name, *(f"exact={more[key]}" for key in more)])] += 1
            return function(*arguments, **more)

        monkeypatch.setattr(part, name, counted)

    for part, name in ((model, "analyze"), (model.hyper, "analysis"), (model, "predictor")):
        count(part, name)
    quantized = codec.quantize(picture(64, 64))
    data = quantized.encode()
    quantized.reconstruct()
    quantized.estimate_bits()
    assert calls == {
        "analyze": 1,
        "analysis": 1,
        "predictor exact=True": 1,
        "predictor exact=False": 1,  # What training saw.
    }
    codec.decode(data)
    assert calls["predictor exact=True"] == 2
    quantized.reconstruct(training=True)
    assert calls["analyze"] == calls["analysis"] == 1


def move_an_index(monkeypatch, codec, wrong):
    """Lets the decoder predict one scale index of the slice ``wrong`` one too high."""
    predictor_of = type(codec.model.hyper).predictor

    def predictor_with_error(*arguments, **more):
        predictor = predictor_of(codec.model.hyper, *arguments, **more)
        predict, number = predictor.next, itertools.count()

        def next_with_error():
            prediction = predict()
            if next(number) != wrong:
                return prediction
            moved = tf.tensor_scatter_nd_add(prediction.indexes, [[0, 1, 1, 3]], [1.0])
            return prediction._replace(indexes=moved)

        predictor.next = next_with_error
        return predictor

    monkeypatch.setattr(codec.model.hyper, "predictor", predictor_with_error)


def test_a_scale_index_off_by_one_in_any_slice_is_found(make_codec, monkeypatch):
    codec = make_codec("model=channel_autoregressive")
    data = codec.encode(picture(64, 64))
    for wrong in range(4):
        move_an_index(monkeypatch, codec, wrong)
        with pytest.raises(DamagedFile, match=r"scale indexes|bytes do not decode"):
            codec.decode(data)


def test_slices_have_dithers_of_their_own(compose):
    model = ("model=channel_autoregressive", "model.transforms.latent_channels=32")
    quantizer = build_model(compose(*model, "quantizer=universal")).quantizer
    zeros = tf.zeros([6, 7, 8], tf.int32)
    dithers = [quantizer.for_slice(number).decode(zeros).numpy() for number in range(4)]
    for number, dither in enumerate(dithers):
        assert dither.any() and not any(np.array_equal(dither, d) for d in dithers[:number])


def test_other_scale_indexes_are_an_error_and_no_picture(make_codec, monkeypatch):
    codec = make_codec("model=mean_scale_hyperprior")
    data = codec.encode(picture(64, 64))
    move_an_index(monkeypatch, codec, 0)
    with pytest.raises(DamagedFile, match="scale indexes of this decoder are not the encoder's"):
        codec.decode(data)


@pytest.mark.parametrize("model", ["hyperprior", "channel_autoregressive"])
def test_damaged_side_information_is_refused(make_codec, model):
    codec = make_codec(f"model={model}")
    image = container.unpack(codec.encode(picture(64, 64)), codec.fingerprint)
    length, start = from_varint(image.payload, 0)
    assert start + length < len(image.payload)
    for payload in (b"", image.payload[:start], image.payload[: start + length], b"\xff" * 9):
        data = container.pack(image._replace(payload=payload), codec.fingerprint)
        with pytest.raises(DamagedFile):
            codec.decode(data)


def test_two_models_of_other_hyper_weights_do_not_read_each_other(make_codec):
    one = make_codec("model=hyperprior")
    other = make_codec("model=hyperprior")
    other.model.hyper.trainable_variables[0].assign_add(
        tf.ones_like(other.model.hyper.trainable_variables[0])
    )
    assert ImageCodec(other.model, "other").fingerprint != one.fingerprint


@pytest.mark.parametrize("model", ["mean_scale_hyperprior", "channel_autoregressive", "lapped"])
@pytest.mark.parametrize("part", ["analysis", "prediction"])
def test_side_information_that_is_not_finite_is_refused(make_codec, model, part):
    """The range coder would never return."""
    codec = make_codec(f"model={model}")
    hyper = codec._coder.model.hyper
    of_analysis = {id(variable) for variable in hyper.analysis_variables}
    for variable in hyper.trainable_variables:
        if (id(variable) in of_analysis) == (part == "analysis"):
            variable.assign(tf.fill(variable.shape, np.nan))
    with pytest.raises(ValueError, match=r"^the model's latents are not finite\.$"):
        codec.encode(picture(64, 64))
