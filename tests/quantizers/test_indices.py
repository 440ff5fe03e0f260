"""Quantizers with finite alphabets: what all share, then soft-to-hard and LFQ by oracles."""

import numpy as np
import pytest
import tensorflow as tf

from quantizers import (
    FiniteScalarPerturbation,
    FiniteScalarQuantizer,
    LookupFreeQuantizer,
    ResidualVectorQuantizer,
    SoftToHardQuantizer,
    VectorQuantizer,
)
from quantizers.base.schedules import Linear

CHANNELS = 8

MAKERS = {
    "soft_to_hard": lambda: SoftToHardQuantizer(centres=5),
    "finite_scalar": FiniteScalarQuantizer,
    "perturbed": lambda: FiniteScalarPerturbation(seed=1, rounded_share=1.0),
    "lookup_free": lambda: LookupFreeQuantizer(dim=4),
    "ema": lambda: VectorQuantizer(seed=1, dim=4, codebook_size=8),
    "gradient": lambda: VectorQuantizer(seed=1, dim=4, codebook_size=8, codebook="gradient"),
    "rotated": lambda: VectorQuantizer(seed=1, dim=4, codebook_size=8, rotation_trick=True),
    # A graph has every iteration of k-means at every stage.
    "residual": lambda: ResidualVectorQuantizer(
        seed=1, stages=3, dim=4, codebook_size=8, kmeans_steps=2
    ),
}


@pytest.fixture(params=MAKERS)
def make(request):
    def make_quantizer():
        quantizer = MAKERS[request.param]()
        quantizer.build(CHANNELS)
        return quantizer

    return make_quantizer


def latents(*shape, seed=0, spread=3.0):
    return tf.constant(np.random.default_rng(seed).normal(0, spread, shape).astype(np.float32))


def one_hot(symbols, sizes):
    return np.eye(max(sizes), dtype=np.float32)[symbols]


@pytest.mark.parametrize("shape", [(8,), (5, 8), (0, 2, 2, 8), (2, 3, 4, 8), (1, 2, 3, 2, 8)])
def test_any_rank_and_no_examples_at_all(make, shape):
    quantizer, y = make(), latents(*shape)
    sizes = quantizer.alphabet.sizes
    for training in (True, False):
        rate, decoder, penalty = quantizer(y, training=training)
        assert rate.shape == (*shape[:-1], len(sizes), max(sizes)) and decoder.shape == shape
        assert rate.dtype == decoder.dtype == penalty.dtype == tf.float32
        assert penalty.shape == () and np.isfinite(penalty)
        assert training or penalty == 0
    quantizer.update(y)
    assert quantizer.encode(y).shape == (*shape[:-1], len(sizes))
    assert all(np.isfinite(variable).all() for variable in quantizer.variables)


def test_decoded_symbols_are_the_value_after_training_bit_for_bit(make):
    quantizer = make()
    quantizer.update(latents(40, 8))
    for y in (latents(3, 5, 8), latents(1, 8) * 1e4, tf.zeros([2, 8])):
        rate, decoder, _ = quantizer(y, training=False)
        symbols = quantizer.encode(y)
        assert symbols.dtype == tf.int32
        assert decoder.numpy().tobytes() == quantizer.decode(symbols).numpy().tobytes()
        np.testing.assert_array_equal(rate, one_hot(symbols, quantizer.alphabet.sizes))
        assert (symbols.numpy() < quantizer.alphabet.sizes).all() and symbols.numpy().min() >= 0


def test_training_sees_what_files_hold(make):
    """But for the stages that dropout takes away, forward values are exactly the hard ones."""
    quantizer, y = make(), latents(6, 3, 8)
    if isinstance(quantizer, ResidualVectorQuantizer):
        quantizer._dropout = 0.0
    seen, coded = quantizer(y, training=True), quantizer(y, training=False)
    assert seen.rate_input.numpy().tobytes() == coded.rate_input.numpy().tobytes()
    assert seen.decoder_input.numpy().tobytes() == coded.decoder_input.numpy().tobytes()


def test_values_and_gradients_are_finite_where_it_is_hard(make):
    quantizer = make()
    hard = [0, -0.0, 0.5, -0.5, 1, -1, 2.5, 1e4, -1e4, 1e-30, 1e30, -1e30, 3e38, -3e38, 7, 1.5]
    for y in (tf.reshape(tf.constant(hard, tf.float32), [2, 8]), tf.zeros([2, 8])):
        with tf.GradientTape() as tape:
            tape.watch(y)
            rate, decoder, penalty = quantizer(y, training=True)
            weights = tf.random.stateless_normal(rate.shape, [1, 2])
            loss = tf.reduce_sum(rate * weights) + tf.reduce_sum(decoder) + penalty
        gradients = tape.gradient(loss, [y, *quantizer.trainable_variables])
        assert np.isfinite(penalty) and np.isfinite(decoder).all()
        assert all(np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in gradients)


def test_graph_equals_eager_and_a_call_changes_no_variable(make):
    eager, graph = make(), make()
    run, update = (
        tf.function(graph.__call__, autograph=False),
        tf.function(lambda y: graph.update(y), autograph=False),
    )
    for seed in range(3):
        y = latents(2, 3, 8, seed=seed)
        before = [variable.numpy() for variable in eager.variables]
        for training in (True, False):
            for a, b in zip(eager(y, training=training), run(y, training=training)):
                np.testing.assert_allclose(a, b, atol=1e-5)
        for variable, value in zip(eager.variables, before):
            np.testing.assert_array_equal(variable, value)
        eager.update(y)
        update(y)
        for a, b in zip(eager.variables, graph.variables):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_alphabet_is_known_after_build(make):
    quantizer = MAKERS["finite_scalar"]()
    with pytest.raises(RuntimeError, match="build"):
        _ = quantizer.alphabet
    assert make().alphabet.kind == "indices"


@pytest.mark.parametrize("name", ["lookup_free", "ema", "residual"])
@pytest.mark.parametrize("channels", [6, 3, 0])
def test_channels_must_come_out_even(name, channels):
    with pytest.raises(ValueError, match=f"dim=4 must divide .* channels={channels}"):
        MAKERS[name]().build(channels)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (SoftToHardQuantizer, {"centres": 1}),
        (SoftToHardQuantizer, {"sigma": 0.0}),
        (FiniteScalarQuantizer, {"levels": []}),
        (FiniteScalarQuantizer, {"levels": [8, 1]}),
        (LookupFreeQuantizer, {"dim": 13}),
        (LookupFreeQuantizer, {"entropy_weight": -0.1}),
        (LookupFreeQuantizer, {"temperature": 0.0}),
        (VectorQuantizer, {"seed": 0, "dim": 0}),
        (VectorQuantizer, {"seed": 0, "codebook_size": 1}),
        (VectorQuantizer, {"seed": 0, "codebook_size": 8.0}),
        (VectorQuantizer, {"seed": 0, "codebook": "adam"}),
        (VectorQuantizer, {"seed": 0, "decay": 1.0}),
        (VectorQuantizer, {"seed": 0, "kmeans_steps": -1}),
        (VectorQuantizer, {"seed": 0, "revive_below": 1.5}),
        (VectorQuantizer, {"seed": 0, "commitment": -1.0}),
        (ResidualVectorQuantizer, {"seed": 0, "stages": 0}),
        (ResidualVectorQuantizer, {"seed": 0, "stages": 2.0}),
        (ResidualVectorQuantizer, {"seed": 0, "dropout": 1.5}),
    ],
)
def test_errors_name_the_argument_and_its_value(kind, arguments):
    name, value = list(arguments.items())[-1]
    with pytest.raises(ValueError) as error:
        kind(**arguments)
    assert f"{name}={value!r}" in str(error.value)


def test_soft_to_hard_takes_the_nearest_centre_and_learns_through_the_softmax():
    sigma, centres = 0.7, np.linspace(-2.5, 2.5, 5, dtype=np.float32)
    quantizer = SoftToHardQuantizer(centres=5, sigma=sigma)
    quantizer.build(4)
    y, upstream = latents(6, 4, spread=2), latents(6, 4, seed=1)
    weights = latents(6, 4, 5, seed=2).numpy()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y)
        rate, decoder, _ = quantizer(y, training=True)
        of_decoder, of_rate = tf.reduce_sum(decoder * upstream), tf.reduce_sum(rate * weights)
    distances = (y.numpy()[..., None] - centres) ** 2
    np.testing.assert_array_equal(decoder, centres[distances.argmin(-1)])
    p = np.exp(-sigma * distances)
    p /= p.sum(-1, keepdims=True)
    # d softmax_j / dy = p_j (l_j' - sum_k p_k l_k') with l' = 2 sigma (c - y).
    slopes = 2 * sigma * (centres - y.numpy()[..., None])
    by_latent = p * (slopes - (p * slopes).sum(-1, keepdims=True))
    expected = (by_latent * centres).sum(-1) * upstream
    np.testing.assert_allclose(tape.gradient(of_decoder, y), expected, atol=1e-4)
    expected = (by_latent * weights).sum(-1)
    np.testing.assert_allclose(tape.gradient(of_rate, y), expected, atol=1e-4)
    assert np.abs(tape.gradient(of_decoder, quantizer.centres)).min() > 0


def test_soft_to_hard_sigma_follows_its_schedule():
    quantizer = SoftToHardQuantizer(sigma=Linear(start=1.0, end=5.0, end_step=100))
    quantizer.advance(50)
    assert quantizer.annealed["sigma"].value == 3.0


def test_lfq_signs_bits_and_straight_through():
    quantizer = LookupFreeQuantizer(dim=3, entropy_weight=0.0)
    quantizer.build(6)
    y = tf.constant([[0.0, -0.5, 2.0, -0.1, 0.3, -7.0]])
    np.testing.assert_array_equal(quantizer.encode(y), [[1 + 4, 2]])
    with tf.GradientTape() as tape:
        tape.watch(y)
        _, decoder, penalty = quantizer(y, training=True)
    np.testing.assert_array_equal(decoder, [[1, -1, 1, -1, 1, -1]])
    np.testing.assert_array_equal(tape.gradient(decoder, y), np.ones([1, 6]))
    np.testing.assert_allclose(penalty, 0.25 * np.mean((y - decoder) ** 2), rtol=1e-6)
    every = tf.range(8)[:, tf.newaxis]
    quantizer.build(3)
    np.testing.assert_array_equal(quantizer.encode(quantizer.decode(every)), every)


def test_lfq_penalty_and_rate_gradient_against_sums_over_all_codes():
    quantizer = LookupFreeQuantizer(dim=3, entropy_weight=0.1, commitment=0.0, temperature=0.8)
    quantizer.build(6)
    y = latents(5, 4, 6, spread=1)
    codes = np.array([[2 * (k >> i & 1) - 1 for i in range(3)] for k in range(8)])
    groups = y.numpy().reshape(20, 2, 1, 3)
    q = np.prod(1 / (1 + np.exp(-2 * codes * groups / 0.8)), -1)  # [20, 2, 8]
    of_each = -(q * np.log(q)).sum(-1).mean()
    mean = q.mean(0)
    of_batch = -(mean * np.log(mean)).sum(-1).mean()
    weights = latents(5, 4, 2, 8, seed=1).numpy()
    with tf.GradientTape() as tape:
        tape.watch(y)
        rate, _, penalty = quantizer(y, training=True)
        cost = tf.reduce_sum(rate * weights)
    np.testing.assert_allclose(penalty, 0.1 * (of_each - of_batch), rtol=1e-4)
    # d log q / dy_i = 2 b_i / t * sigmoid(-2 b_i y_i / t).
    slopes = 2 * codes / 0.8 / (1 + np.exp(2 * codes * groups / 0.8))  # [20, 2, 8, 3]
    expected = (weights.reshape(20, 2, 8, 1) * q[..., None] * slopes).sum(2)
    np.testing.assert_allclose(tape.gradient(cost, y), expected.reshape(5, 4, 6), atol=1e-5)
