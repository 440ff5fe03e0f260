"""Integers 0..K - 1 (``quantizer.levels=K``) have a prior over these alone."""

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model
from codec import ImageCodec
from entropy import ConditionalGaussian, FactorizedPrior
from processor.stack import set_random_seed
from quantizers.base.contract import Integers
from quantizers.base.grids import Layout

CHANNELS = 3


def make(model, size):
    set_random_seed(0)
    entropy = model(channels=CHANNELS, alphabet=Integers(size=size))
    if model is FactorizedPrior:
        for variable in entropy.trainable_variables:  # Unlike at the start, and from each other.
            variable.assign_add(tf.random.normal(variable.shape, stddev=0.5))
    return entropy


def conditions(model, shape, whole):
    if model is FactorizedPrior:
        return ()
    indexes = np.random.default_rng(1).integers(0, 64, shape)
    return (tf.constant(indexes, tf.int32 if whole else tf.float32),)


@pytest.mark.parametrize("model", [FactorizedPrior, ConditionalGaussian])
@pytest.mark.parametrize("size", [2, 5])
def test_probabilities_of_the_alphabet_add_up_to_one(model, size):
    entropy = make(model, size)
    every = np.arange(size).reshape(size, 1, 1, 1).repeat(CHANNELS, axis=3).astype(np.float32)
    given = conditions(model, (1, 1, 1, CHANNELS), whole=False)
    given = tuple(tf.repeat(each, size, axis=0) for each in given)
    # Channels are independent: bits of one channel are those beside a fixed rest.
    bits = np.stack(
        [
            entropy.bits(np.where(np.arange(CHANNELS) == channel, every, 0), *given)
            for channel in range(CHANNELS)
        ]
    )
    rest = entropy.bits(np.zeros_like(every[:1]), *(each[:1] for each in given))
    shares = 2.0 ** (float(rest[0]) - bits)  # p(symbol) / p(0) of each channel
    whole = np.log2(shares.sum(axis=1)).sum()
    assert whole == pytest.approx(float(rest[0]), abs=1e-3)


@pytest.mark.parametrize("model", [FactorizedPrior, ConditionalGaussian])
def test_no_value_is_free_and_none_costs_more_than_the_coder_spends(model):
    entropy = make(model, 2)
    values = tf.Variable(np.linspace(-3, 4, 600, dtype=np.float32).reshape(1, 20, 10, 3))
    given = conditions(model, values.shape, whole=False)
    with tf.GradientTape() as tape:
        bits = entropy.bits(values, *given)
    assert 0 < float(bits[0]) <= 16 * 600
    assert np.isfinite(tape.gradient(bits, values)).all()


@pytest.mark.parametrize("model", [FactorizedPrior, ConditionalGaussian])
@pytest.mark.parametrize("size", [2, 5])
def test_coded_size_is_the_estimate_and_there_is_no_escape(model, size):
    entropy = make(model, size)
    entropy.freeze()
    assert entropy.bounded and entropy._lookup.numpy().min() >= 0
    symbols = tf.constant(np.random.default_rng(2).integers(0, size, (64, 64, CHANNELS)), tf.int32)
    given = conditions(model, symbols.shape, whole=True)
    layout = Layout(CHANNELS)
    data = entropy.compress(symbols, layout, *given)
    estimate = entropy.symbol_bits(symbols, layout, *given)
    assert 8 * len(data) == pytest.approx(estimate, rel=0.005, abs=32)
    decoded = entropy.decompress(data, 64, 64, layout, *given)
    np.testing.assert_array_equal(decoded, symbols)


def test_an_alphabet_must_leave_room_in_the_tables():
    with pytest.raises(ValueError, match=r"quantizer.levels=40000 must be at most 32768"):
        FactorizedPrior(channels=1, alphabet=Integers(size=40000))


@pytest.mark.parametrize("model", ["bls2017", "mean_scale_hyperprior", "channel_autoregressive"])
def test_files_of_binary_latents_are_no_larger_than_their_bits(compose, model):
    """An untrained model once spent 1.2 bits on each binary latent."""
    small = ["model.transforms.num_filters=8", "precision=float32", "quantizer.levels=2"]
    if model != "bls2017":
        small.append("model.transforms.latent_channels=32")
    model = build_model(compose(f"model={model}", "quantizer=straight_through", *small))
    model.freeze()
    codec = ImageCodec(model, "small")
    pixels = np.random.default_rng(0).integers(0, 256, (70, 50, 3)).astype(np.uint8)
    quantized = codec.quantize(pixels)
    estimate = quantized.estimate_bits()
    latents = 5 * 4 * model.transforms.latent_channels
    assert estimate.fixed_length == latents
    if model.hyper is None:
        assert estimate.rounded <= 1.05 * latents
    assert codec.has_fixed_length
    for fixed_length in (False, True):
        data = quantized.encode(fixed_length=fixed_length)
        np.testing.assert_array_equal(codec.decode(data), quantized.reconstruct())
    payload = latents / 8 + estimate.side / 8
    assert payload <= len(data) <= payload * 1.01 + 40
