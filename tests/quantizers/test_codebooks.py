"""Vector and residual vector quantizers: codebooks against NumPy, revival, rotation, dropout."""

import numpy as np
import pytest
import tensorflow as tf

from processor.stack import set_random_seed
from quantizers import DirectionalVectorQuantizer, ResidualVectorQuantizer, VectorQuantizer
from quantizers.vector import rotated


def clustered(number, seed=0, clusters=16, dim=4):
    """Vectors ``[number, dim]`` in tight, distant clusters, which all occur."""
    centres = np.random.default_rng(99).normal(0, 10, (clusters, dim))
    rng = np.random.default_rng(seed)
    members = rng.permutation(np.arange(number) % clusters)
    return (centres[members] + rng.normal(0, 0.05, (number, dim))).astype(np.float32)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def vector(channels=4, **settings):
    quantizer = VectorQuantizer(**{"seed": 1, "dim": 4, "codebook_size": 16, **settings})
    quantizer.build(channels)
    return quantizer


def residual(channels=4, **settings):
    settings = {"seed": 1, "stages": 3, "dim": 4, "codebook_size": 16, **settings}
    quantizer = ResidualVectorQuantizer(**settings)
    quantizer.build(channels)
    return quantizer


def updater(quantizer):
    return tf.function(lambda latents: quantizer.update(latents), autograph=False)


def test_nearest_code_of_each_group_by_brute_force():
    quantizer, y = vector(channels=8), normal(50, 8)
    codes = quantizer.codebooks.codes.numpy()
    distances = ((y.reshape(50, 2, 1, 4) - codes) ** 2).sum(-1)
    symbols = quantizer.encode(tf.constant(y)).numpy()
    np.testing.assert_array_equal(symbols, distances.argmin(-1))
    expected = np.concatenate([codes[0][symbols[:, 0]], codes[1][symbols[:, 1]]], axis=1)
    np.testing.assert_array_equal(quantizer(tf.constant(y), training=True).decoder_input, expected)


def test_k_means_finds_all_clusters():
    quantizer, y = vector(), tf.constant(clustered(160))
    updater(quantizer)(y)
    assert len(np.unique(quantizer.encode(y))) == 16
    assert np.abs(quantizer(y, training=False).decoder_input - y).max() < 0.5
    np.testing.assert_array_equal(quantizer.codebooks.usage, np.full([1, 16], 10))


def test_fewer_vectors_than_codes_make_a_codebook():
    quantizer, y = vector(), tf.constant(normal(5, 4))
    updater(quantizer)(y)
    np.testing.assert_allclose(quantizer(y, training=False).decoder_input, y, atol=1e-6)
    assert np.isfinite(quantizer.codebooks.codes).all()


@pytest.mark.parametrize("codebook", ["ema", "gradient"])
@pytest.mark.parametrize(("revive_below", "used"), [(0.0, 1), (0.05, 16)])
def test_dead_codes_come_back(codebook, revive_below, used):
    """One code near the data, 15 far off: without revival it would serve alone."""
    initial = np.full([1, 16, 4], 1e3, np.float32)
    initial[0, 0] = 0
    quantizer = vector(codebook=codebook, decay=0.8, kmeans_steps=0, revive_below=revive_below)
    quantizer.codebooks.codes.assign(initial)
    update = updater(quantizer)
    for step in range(60):
        update(tf.constant(clustered(64, seed=step)))
    assert len(np.unique(quantizer.encode(tf.constant(clustered(640))))) == used


def test_moving_averages_against_numpy():
    quantizer = vector(decay=0.9, revive_below=0.0)
    update = updater(quantizer)
    update(tf.constant(clustered(160)))
    codes = quantizer.codebooks.codes.numpy()[0].astype(np.float64)
    usage = quantizer.codebooks.usage.numpy()[0].astype(np.float64)
    sums = codes * usage[:, None]
    for step in range(1, 6):
        y = clustered(100, seed=step) + step
        nearest = ((y[:, None] - codes) ** 2).sum(-1).argmin(-1)
        chosen = np.eye(16)[nearest]
        usage = 0.9 * usage + 0.1 * chosen.sum(0)
        sums = 0.9 * sums + 0.1 * chosen.T @ y
        smooth = (usage + 1e-5) / (usage.sum() + 16e-5) * usage.sum()
        codes = sums / smooth[:, None]
        update(tf.constant(y))
        np.testing.assert_allclose(quantizer.codebooks.codes[0], codes, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(quantizer.codebooks.usage[0], usage, rtol=1e-5)


def test_ema_codes_are_not_for_the_optimizer_and_gradient_codes_are():
    assert not vector().trainable_variables
    quantizer, y = vector(codebook="gradient", commitment=0.0), tf.constant(normal(64, 4))
    (codes,) = quantizer.trainable_variables
    losses = []
    for _ in range(30):
        with tf.GradientTape() as tape:
            losses.append(float(quantizer(y, training=True).penalty))
            loss = quantizer(y, training=True).penalty
        codes.assign_sub(10.0 * tf.convert_to_tensor(tape.gradient(loss, codes)))
    assert losses[-1] < 0.8 * losses[0]


def test_commitment_and_straight_through_gradients():
    quantizer, y = vector(commitment=0.5), tf.constant(normal(6, 4))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y)
        rate, decoder, penalty = quantizer(y, training=True)
    assert tape.gradient(rate, y) is None
    np.testing.assert_array_equal(tape.gradient(decoder, y), np.ones([6, 4]))
    np.testing.assert_allclose(penalty, 0.5 * np.mean((y - decoder) ** 2), rtol=1e-6)
    expected = 0.5 * 2 * (y - decoder) / 24
    np.testing.assert_allclose(tape.gradient(penalty, y), expected, rtol=1e-5, atol=1e-7)


def test_rotation_trick_turns_gradients_as_the_code_is_turned():
    y, codes = normal(20, 4).astype(np.float64), normal(20, 4, seed=1).astype(np.float64)
    y[0], codes[0] = -2 * codes[0], codes[0]  # opposite
    y[1] = 3 * codes[1]  # parallel
    upstream = normal(20, 4, seed=2).astype(np.float64)
    vectors = tf.constant(y, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        image = rotated(vectors, tf.constant(codes, tf.float32))
        loss = tf.reduce_sum(image * upstream.astype(np.float32))
    np.testing.assert_allclose(image, codes, atol=1e-5)
    gradient = tape.gradient(loss, vectors).numpy()
    length, code_length = (np.linalg.norm(v, axis=-1) for v in (y, codes))
    np.testing.assert_allclose(
        np.linalg.norm(gradient, axis=-1),
        code_length / length * np.linalg.norm(upstream, axis=-1),
        rtol=1e-4,
    )
    # The angle between gradient and latents is that between upstream and code.
    np.testing.assert_allclose(
        (gradient * y).sum(-1), (upstream * codes).sum(-1), rtol=1e-3, atol=1e-4
    )


def test_rotation_trick_keeps_the_forward_value_and_serves_zero():
    plain, turning = vector(), vector(rotation_trick=True)
    y = np.concatenate([np.zeros([1, 4], np.float32), normal(9, 4)])
    y = tf.constant(y)
    with tf.GradientTape() as tape:
        tape.watch(y)
        decoder = turning(y, training=True).decoder_input
    np.testing.assert_array_equal(decoder, plain(y, training=True).decoder_input)
    gradient = tape.gradient(decoder, y).numpy()
    np.testing.assert_array_equal(gradient[0], np.ones(4))
    assert np.isfinite(gradient).all() and not np.allclose(gradient[1:], 1)


def directional(variance):
    quantizer = DirectionalVectorQuantizer(seed=1, dim=4, codebook_size=16, variance=variance)
    quantizer.build(4)
    return quantizer


def test_directional_error_has_the_length_of_the_distance_and_nearly_its_direction():
    y = tf.constant(normal(200, 4))
    for variance, tolerance in ((0.0, 1e-5), (1e-3, 0.2)):
        quantizer = directional(variance)
        codes = quantizer.decode(quantizer.encode(y))
        values, penalty = quantizer(y, training=True)[1:]
        np.testing.assert_allclose(
            tf.norm(values - y, axis=1), tf.norm(codes - y, axis=1), rtol=1e-4
        )
        off = tf.norm(values - codes, axis=1).numpy()
        assert off.max() < tolerance and (variance == 0 or off.mean() > 0.005)
        assert penalty == 0


def test_directional_error_shares_the_gradient_between_latents_and_codes():
    quantizer, upstream = directional(0.0), normal(5, 4, seed=3)
    codes = quantizer.codebooks.codes
    y = tf.constant(np.concatenate([normal(4, 4), codes[0, :1]]))
    with tf.GradientTape() as tape:
        tape.watch(y)
        value = tf.reduce_sum(quantizer(y, training=True).decoder_input * upstream)
    of_y, of_codes = (gradient.numpy() for gradient in tape.gradient(value, [y, codes]))
    error = (quantizer.decode(quantizer.encode(y)) - y).numpy()[:4]
    direction = error / np.linalg.norm(error, axis=1, keepdims=True)
    along = (upstream[:4] * direction).sum(1, keepdims=True) * direction
    np.testing.assert_allclose(of_y[:4], upstream[:4] - along, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(of_y[4], upstream[4])  # A latent on its code: no direction
    np.testing.assert_allclose(of_codes.sum((0, 1)), along.sum(0), rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match=r"variance=-0.1 must not be negative\."):
        DirectionalVectorQuantizer(seed=0, variance=-0.1)


def test_more_stages_distort_less():
    quantizer, y = residual(channels=8, codebook_size=32), tf.constant(normal(2, 10, 20, 8))
    update = updater(quantizer)
    for _ in range(3):
        update(y)
    symbols = quantizer.encode(y)
    errors = [np.mean((quantizer.decode(symbols[..., : 2 * k]) - y) ** 2) for k in (1, 2, 3)]
    assert 1 > errors[0] > 1.5 * errors[1] > 2 * errors[2]
    for channels in (0, 1, 8):
        with pytest.raises(ValueError, match=f"symbols: {channels} channels must be 2 for each"):
            quantizer.decode(tf.zeros([3, channels], tf.int32))


def test_symbols_are_stage_major():
    quantizer, y = residual(channels=8), normal(1, 8)
    symbols = quantizer.encode(tf.constant(y)).numpy().reshape(3, 2)
    rest = y.reshape(2, 4)
    for stage, books in enumerate(quantizer.codebooks):
        codes = books.codes.numpy()
        nearest = ((rest[:, None] - codes) ** 2).sum(-1).argmin(-1)
        np.testing.assert_array_equal(symbols[stage], nearest)
        rest = rest - codes[np.arange(2), nearest]


def test_dropout_draws_stages_by_example():
    quantizer, y = residual(channels=8, dropout=0.5), tf.constant(normal(6000, 2, 8))
    rate, decoder, _ = quantizer(y, training=True)
    coded = rate.numpy().sum(-1)  # [6000, 2, 3 stages * 2 groups]: 1, or 0 where dropped
    stages = coded.reshape(6000, 2, 3, 2).sum(2)
    assert (stages == stages[:, :1, :1]).all(), "one number for a whole example"
    stages = stages[:, 0, 0]
    assert (coded.reshape(6000, 2, 3, 2)[:, 0, :, 0] == (np.arange(3) < stages[:, None])).all()
    shares = [(stages == k).mean() for k in (1, 2, 3)]
    np.testing.assert_allclose(shares, [1 / 6, 1 / 6, 2 / 3], atol=0.025)
    symbols = quantizer.encode(y)
    for k in (1, 2, 3):
        chosen = stages == k
        kept = tf.boolean_mask(symbols, chosen)[..., : 2 * k]
        np.testing.assert_array_equal(decoder[chosen], quantizer.decode(kept))
    for training, dropout in ((True, 0.0), (False, 0.5)):
        quantizer._dropout = dropout
        assert quantizer(y, training=training).rate_input.numpy().sum() == 6000 * 2 * 6


def test_every_stage_commits_the_encoder_and_learns_from_its_own_loss_alone():
    quantizer = residual(dropout=0.0, commitment=0.25, codebook="gradient")
    y = tf.constant(normal(10, 4))
    rest, expected, of_codes = y.numpy(), 0, []
    for part, books in zip(quantizer.encode(y).numpy().T, quantizer.codebooks):
        codes = books.codes.numpy()[0]
        left = rest - codes[part]
        expected = expected + 0.25 * 2 * left / 40
        of_codes.append(np.zeros_like(codes))
        np.add.at(of_codes[-1], part, -2 * left / 40)
        rest = left
    with tf.GradientTape() as tape:
        tape.watch(y)
        penalty = quantizer(y, training=True).penalty
    of_y, *found = tape.gradient(penalty, [y, *[books.codes for books in quantizer.codebooks]])
    np.testing.assert_allclose(of_y, expected, rtol=1e-4, atol=1e-6)
    for gradient, own in zip(found, of_codes):
        np.testing.assert_allclose(tf.convert_to_tensor(gradient)[0], own, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: vector(decay=0.5, revive_below=0.9, kmeans_steps=2),
        lambda: vector(decay=0.5, revive_below=0.9, kmeans_steps=2, codebook="gradient"),
        lambda: residual(decay=0.5, revive_below=0.9, kmeans_steps=2),
    ],
)
@pytest.mark.parametrize("steps_before", [0, 3])
def test_saved_and_restored_it_goes_on_bit_for_bit(make, steps_before, tmp_path):
    updates = {}  # A quantizer's update is traced once.

    def train(quantizer, steps):
        update = updates.setdefault(quantizer, updater(quantizer))
        for step in steps:
            y = tf.constant(normal(8, 6, 4, seed=step))
            quantizer(y, training=True)  # Draws the dropout.
            update(y)

    through = make()
    train(through, range(steps_before))
    path = tf.train.Checkpoint(quantizer=through).write(str(tmp_path / "quantizer"))
    before = through.variables[0].numpy()
    resumed = make()
    resumed(tf.constant(normal(3, 4)), training=True)
    tf.train.Checkpoint(quantizer=resumed).read(path).assert_consumed()
    for quantizer in (through, resumed):
        train(quantizer, range(steps_before, steps_before + 4))
    assert through.variables[0].numpy().tobytes() != before.tobytes() or steps_before
    for a, b in zip(through.variables, resumed.variables):
        assert a.numpy().tobytes() == b.numpy().tobytes(), a.name
    y = tf.constant(normal(16, 4))
    for a, b in zip(through(y, training=True), resumed(y, training=True)):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def test_codebooks_leave_the_global_random_state_alone():
    set_random_seed(5)
    expected = np.random.rand(), tf.random.normal([2]).numpy()
    set_random_seed(5)
    quantizer = residual()
    quantizer.update(tf.constant(normal(20, 4)))
    quantizer(tf.constant(normal(20, 4)), training=True)
    assert expected[0] == np.random.rand()
    np.testing.assert_array_equal(expected[1], tf.random.normal([2]))
    np.testing.assert_array_equal(vector().codebooks.codes, vector().codebooks.codes)
    assert not np.array_equal(vector(seed=2).codebooks.codes, vector().codebooks.codes)
