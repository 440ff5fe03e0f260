"""The audio codec over small real models: exact length and decoding, any rate and channels."""

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model
from codec import (
    AUDIO_HEADER_LIMIT,
    AudioCodec,
    DamagedFile,
    ForeignFile,
    ImageCodec,
    TooLarge,
    container,
)
from codec import blocks as block_coding
from distortion import WaveformError
from processor.stack import set_random_seed
from training.optimizers import adam
from training.step import TrainStep

SMALL = (
    "model=audio",
    "model.transforms.sample_rate=8000",
    "model.transforms.num_filters=4",
    "model.transforms.latent_channels=8",
    "model.transforms.strides=[4,4]",
    "precision=float32",
)


def frozen(model):
    # An untrained analysis gives latents near 0: scaled up they fill the tables and leave them.
    kernel = model.transforms._analysis.layers[-1].kernel
    kernel.assign(20 * kernel)
    model.freeze()
    return model


@pytest.fixture
def make(compose):
    return lambda *overrides: build_model(compose(*SMALL, *overrides))


@pytest.fixture(scope="module")
def codec():
    """One for all files that it codes."""
    from entropy import auto_entropy_model
    from models import Autoencoder
    from models.audio import AudioTransforms
    from quantizers import ScalarQuantizer, StraightThrough

    set_random_seed(0)
    transforms = AudioTransforms(
        sample_rate=8000, num_filters=4, latent_channels=8, strides=[4, 4], dilations=[1]
    )
    quantizer = ScalarQuantizer(decoder=StraightThrough(), rate=None)
    model = Autoencoder(transforms=transforms, quantizer=quantizer, entropy=auto_entropy_model)
    return AudioCodec(frozen(model), "small")


def recording(length, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(length)[:, np.newaxis] / 8000
    tones = np.sin(2 * np.pi * rng.uniform(100, 2000, [1, channels]) * time)
    noise = rng.normal(0, 0.2, [length, channels])
    return (0.1 * (tones + noise)).astype(np.float32)


def assert_decodes(codec, samples, rate):
    decoded = codec.decode(codec.encode(samples, rate))
    assert decoded.samples.dtype == np.int16 and decoded.samples.shape == samples.shape
    assert decoded.sample_rate == rate
    np.testing.assert_array_equal(decoded.samples, codec.reconstruct(samples, rate).samples)
    return decoded.samples


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 1000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_length_decodes_to_the_test_time_reconstruction(codec, length, channels):
    assert_decodes(codec, recording(length, channels), 8000)


@pytest.mark.parametrize("rate", [1, 7999, 11025, 44100, 96000])
@pytest.mark.parametrize("length", [1, 7, 2999])
def test_any_rate_comes_back_with_its_length(codec, rate, length):
    assert_decodes(codec, recording(min(length, 2 * rate), 2), rate)


@pytest.mark.parametrize("decibels", [-20, 6])
def test_any_level_is_coded_alike(codec, decibels):
    """A gain of whole half-decibels is taken off and put back: the same payload, scaled audio."""
    samples, factor = 0.1 * recording(800), np.float32(10 ** (decibels / 20))
    scaled = samples * factor
    assert abs(len(codec.encode(samples, 8000)) - len(codec.encode(scaled, 8000))) <= 2
    ours = codec.reconstruct(samples, 8000).samples * float(factor)
    assert np.abs(ours).max() > 500
    np.testing.assert_allclose(codec.reconstruct(scaled, 8000).samples, ours, atol=30)


def test_an_offset_costs_nothing_and_is_not_coded(codec):
    samples = 0.1 * recording(800)
    with_offset = samples + np.float32(0.3)
    assert abs(len(codec.encode(samples, 8000)) - len(codec.encode(with_offset, 8000))) <= 2
    ours, theirs = (codec.reconstruct(s, 8000).samples for s in (samples, with_offset))
    np.testing.assert_allclose(theirs, ours, atol=30)


@pytest.mark.parametrize("level", [0.0, 1e-30, 1e30])
def test_silence_and_absurd_levels_are_coded(codec, level):
    assert_decodes(codec, np.full([300, 1], level, np.float32), 8000)


def test_blocks_change_neither_samples_nor_length(codec, monkeypatch):
    samples = recording(3001, 2)
    whole = assert_decodes(codec, samples, 8000)
    size = len(codec.encode(samples, 8000))
    bits = codec.quantize(samples, 8000).estimate_bits()
    monkeypatch.setattr(block_coding, "POSITIONS", 100)
    assert len(block_coding.columns_of_blocks(2, 188)) == 4
    np.testing.assert_array_equal(assert_decodes(codec, samples, 8000), whole)
    assert size < len(codec.encode(samples, 8000)) < size + 40
    in_blocks = codec.quantize(samples, 8000).estimate_bits()
    np.testing.assert_allclose(in_blocks.rounded, bits.rounded, rtol=1e-4)


def test_no_seam_where_long_audio_is_cut_into_tiles(codec, monkeypatch):
    """Decoded in tiles and whole: no sample differs by more than rounding to 16 bits."""
    from models import tiling

    samples = recording(30000)
    whole = codec.reconstruct(samples, 8000).samples.astype(int)
    monkeypatch.setattr(type(codec.model.transforms), "tile", (1, 300))
    monkeypatch.setattr(tiling, "WHOLE", 100)
    monkeypatch.setattr(tiling.apply_in_tiles, "__kwdefaults__", {"whole": 100, "tile": None})
    tiled = codec.reconstruct(samples, 8000).samples.astype(int)
    # A latent that lies at a rounding boundary may fall to the other side: a handful do.
    assert np.mean(np.abs(tiled - whole) > 1) < 0.02
    error = (whole / 32768 - samples[:, :1]) ** 2, (tiled / 32768 - samples[:, :1]) ** 2
    border = np.zeros(len(samples), bool)
    for cut in range(300 * 16, len(samples), 300 * 16):
        border[cut - 160 : cut + 160] = True
    at_borders, elsewhere = (10 * np.log10(error[1][where].mean()) for where in (border, ~border))
    whole_gap = 10 * np.log10(error[0][border].mean() / error[0][~border].mean())
    assert abs((at_borders - elsewhere) - whole_gap) < 0.1, "dB"


def test_every_kind_of_quantizer_trains_a_step_and_codes_audio(
    make, quantizer_kind, refuses_damage
):
    refuses_damage(*check_quantizer(make, quantizer_kind))


# The others code as one of their kind.
@pytest.mark.slow
def test_every_quantizer_trains_a_step_and_codes_audio(make, quantizer_name):
    check_quantizer(make, quantizer_name)


def check_quantizer(make, quantizer_name):
    """Of one stride and without a graph for the step: building graphs is what takes time."""
    plain = ("model.transforms.strides=[16]", "model.transforms.dilations=[]")
    model = make(f"quantizer={quantizer_name}", "steps=8", *plain)
    kernel = model.transforms._analysis.layers[-1].kernel
    kernel.assign(20 * kernel)
    step = TrainStep(model, WaveformError(), adam(steps=8), lmbda=0.01)
    batch = tf.constant(recording(512).reshape(1, 1, 512, 1))
    step.advance(0)
    tf.config.run_functions_eagerly(True)
    try:
        result = step(batch)
    finally:
        tf.config.run_functions_eagerly(False)
    step.check(result, 0)
    assert np.isfinite(result.loss)
    model.freeze()
    codec, samples = AudioCodec(model, "small"), recording(700, 2)
    data, expected = codec.encode(samples, 8000), codec.reconstruct(samples, 8000).samples
    np.testing.assert_array_equal(codec.decode(data).samples, expected)
    bits = codec.quantize(samples, 8000).estimate_bits()
    header = 8 * (AUDIO_HEADER_LIMIT + 4)
    assert abs(8 * len(data) - bits.rounded) <= 0.005 * bits.rounded + header
    if codec.has_fixed_length:
        fixed = codec.encode(samples, 8000, fixed_length=True)
        assert abs(8 * len(fixed) - bits.fixed_length) <= header
    return codec, data


def test_a_file_of_the_other_medium_is_refused(codec, compose):
    images = build_model(compose("model.transforms.num_filters=4", "precision=float32"))
    images.freeze()
    images = ImageCodec(images, "images")
    picture = images.encode(np.zeros([16, 16, 3], np.uint8))
    with pytest.raises(ForeignFile, match="holds an image, but the model codes audio"):
        codec.decode(picture)
    with pytest.raises(ForeignFile, match="holds audio, but the model codes an image"):
        images.decode(codec.encode(recording(50), 8000))


def test_every_flipped_bit_and_every_cut_is_refused(codec):
    data = codec.encode(recording(40), 8000)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((DamagedFile, ForeignFile)):
            codec.decode(bytes(flipped))
    for length in range(len(data)):
        with pytest.raises((DamagedFile, ForeignFile)):
            codec.decode(data[:length])


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros([0, 1], np.float32), 8000, "at least one sample"),
        (np.zeros([5, 0], np.float32), 8000, "at least one sample"),
        (np.zeros([5], np.float32), 8000, r"must be float32 \[samples, channels\]"),
        (np.zeros([5, 1], np.int16), 8000, "must be float32"),
        (np.zeros([5, 256], np.float32), 8000, "256 channels; must be 1 to 255"),
        (np.float32([[0], [np.nan]]), 8000, "sample 1 is NaN or infinite"),
        (np.zeros([5, 1], np.float32), 0, "sample_rate=0 must be 1 to"),
        (np.tile(np.float32([[3e38], [-3e38]]), [99, 1]), 44100, "too large to be resampled"),
    ],
)
def test_other_samples_are_refused(codec, samples, rate, message):
    with pytest.raises(ValueError, match=message):
        codec.encode(samples, rate)


def test_an_unfrozen_model_is_refused(make):
    with pytest.raises(ValueError, match="must be frozen"):
        AudioCodec(make(), "unfrozen")


def claims(codec, *numbers):
    coded = container.CodedAudio(*numbers, payload=bytes(range(1, 16)))
    return container.pack(coded, codec.fingerprint)


@pytest.mark.parametrize("numbers", [(1, 2**32 - 1, 255, 0), (2**20 - 1, 2**32 - 1, 1, 0)])
def test_no_number_of_samples_is_believed(codec, numbers):
    data = claims(codec, *numbers)
    with pytest.raises(TooLarge, match=r"declares \d+ samples, more than --max-size 268435456"):
        codec.decode(data)
    with pytest.raises(DamagedFile, match="too few for the blocks of"):
        codec.decode(data, max_size=None)


def test_the_limit_counts_all_channels_at_the_higher_rate(codec):
    for rate, length in ((8000, 50), (4000, 25), (16000, 50)):
        data = codec.encode(recording(length, 2), rate)
        assert codec.decode(data, max_size=100).samples.shape == (length, 2)
        with pytest.raises(TooLarge, match="declares 100 samples, more than --max-size 99"):
            codec.decode(data, max_size=99)


def test_a_block_that_is_longer_than_the_file_is_damage(codec, monkeypatch):
    monkeypatch.setattr(block_coding, "POSITIONS", 100)
    data = codec.encode(recording(3001, 2), 8000)
    coded = container.unpack(data, codec.fingerprint, container.CodedAudio)
    for length in (b"\xff\xff\xff\x7f", b"\xff\x7f"):
        payload = length + coded.payload[1:]
        data = container.pack(coded._replace(payload=payload), codec.fingerprint)
        with pytest.raises(DamagedFile, match="bytes of a block are not there"):
            codec.decode(data)
