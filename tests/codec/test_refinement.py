"""Refinement of one file's latents: it lowers the loss of the file, and the file is a plain one."""

import math

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model, build_part
from codec import ImageCodec
from codec.refinement import (
    Objective,
    RateDistortionOptimizedQuantization,
    StochasticGumbelAnnealing,
)
from codec.refinement.rdoq import Moves
from codec.refinement.sga import Temperature
from distortion import MeanSquaredError, MultiScaleSsim
from training.step import TrainStep

LMBDA = 0.02


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3)).astype(np.float32)
    fine = tf.image.resize(coarse, [height, width], "bicubic").numpy()
    return np.clip(fine, 0, 255).astype(np.uint8)


def trained(config, steps=60):
    """A tiny model that has learned something: its latents are not all zero."""
    model = build_model(config)
    step = TrainStep(model, MeanSquaredError(), build_part(config.optimizer), LMBDA)
    batch = np.stack([picture(64, 64, seed) for seed in range(4)]).astype(np.float32)
    for number in range(steps):
        step.advance(number)
        step(tf.constant(batch))
    model.freeze()
    return model


@pytest.fixture(scope="module")
def models():
    """Models by their overrides, each trained once."""
    return {}


@pytest.fixture
def make(compose, models):
    def make_model(*choices):
        # In graphs also where the test runs eagerly: sixty steps are long.
        eager = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(False)
        try:
            return find_or_make(*choices)
        finally:
            tf.config.run_functions_eagerly(eager)

    def find_or_make(model="bls2017", quantizer="mixed", *overrides):
        key = (model, quantizer, *overrides)
        if key in models:
            return models[key]
        small = ["model.transforms.num_filters=8", "precision=float32", "steps=60"]
        if model != "bls2017":
            small.append("model.transforms.latent_channels=12")
        config = compose(f"model={model}", f"quantizer={quantizer}", *small, *overrides)
        config.optimizer.learning_rate = 5e-3
        if key[1:] == ("mixed",):
            models[key] = trained(config)
            return models[key]
        if model == "channel_autoregressive":
            models[key] = build_model(config)
            models[key].freeze()
            return models[key]
        # Training takes longest: the others have what one has learned.
        models[key], teacher = build_model(config), make_model(model)
        parts = [(models[key].transforms, teacher.transforms)]
        if models[key].quantizer.alphabet.kind == "integers":
            parts.append((models[key].entropy, teacher.entropy))
        for pair in parts:
            for variable, other in zip(*(part.trainable_variables for part in pair)):
                variable.assign(other)
        models[key].freeze()
        return models[key]

    return make_model


def sga(model, **settings):
    objective = Objective(model, MeanSquaredError(), LMBDA)
    settings = {"steps": 12, "learning_rate": 0.1, **settings}
    return StochasticGumbelAnnealing(objective=objective, **settings)


def rdoq(model, **settings):
    objective = Objective(model, MeanSquaredError(), LMBDA)
    return RateDistortionOptimizedQuantization(objective=objective, **{"steps": 12, **settings})


CASES = [
    ("bls2017", "mixed"),
    ("mean_scale_hyperprior", "mixed"),
    ("bls2017", "universal"),
    ("bls2017", "learned_step"),
]


@pytest.mark.parametrize("model, quantizer", CASES)
@pytest.mark.parametrize("method", [sga, rdoq])
def test_lowers_the_loss_of_the_real_file(make, eagerly, method, model, quantizer):
    model = make(model, quantizer)
    codec = ImageCodec(model, "tiny")
    pixels = picture(70, 90, seed=9)
    refined = method(model, steps=8)(pixels)

    def file_loss(latents):
        data = codec.encode(pixels, latents=latents)
        decoded = codec.decode(data)
        np.testing.assert_array_equal(decoded, codec.reconstruct(pixels, latents=latents))
        bits = codec.quantize(pixels, latents=latents).estimate_bits().rounded
        assert abs(8 * len(data) - bits) <= 0.005 * bits + 8 * 64, "header, seeds, ends"
        mse = np.mean((decoded.astype(np.float64) - pixels) ** 2)
        return bits / pixels[..., 0].size + LMBDA * mse

    assert file_loss(None) == pytest.approx(refined.loss_before, rel=1e-5)
    assert file_loss(refined.latents) == pytest.approx(refined.loss, rel=1e-5)
    assert refined.loss < 0.999 * refined.loss_before


def test_slices_that_predict_one_another_are_for_sga_alone(make, eagerly):
    small = ("model.transforms.num_filters=8", "model.transforms.latent_channels=12")
    model = make("channel_autoregressive", "mixed", *small)
    with pytest.raises(ValueError, match=r"slices from one another: use refinement=sga"):
        rdoq(model)
    codec, pixels = ImageCodec(model, "tiny"), picture(64, 64)
    refined = sga(model, steps=4)(pixels)
    decoded = codec.decode(codec.encode(pixels, latents=refined.latents))
    np.testing.assert_array_equal(decoded, codec.reconstruct(pixels, latents=refined.latents))
    assert refined.loss <= refined.loss_before


@pytest.mark.parametrize("method", [sga, rdoq])
def test_same_seed_same_bytes_in_any_order_of_files(make, method):
    model = make()
    codec = ImageCodec(model, "tiny")
    one, two = picture(48, 64, seed=1), picture(64, 32, seed=2)

    def files(refine, images):
        return [codec.encode(image, latents=refine(image).latents) for image in images]

    first, second = files(method(model, seed=3), [one, two])
    assert files(method(model, seed=3), [two, one]) == [second, first]


def test_sga_of_another_seed_makes_other_choices(make, eagerly):
    losses = {sga(make(), seed=seed)(picture(48, 64)).loss for seed in (0, 1)}
    assert len(losses) == 2


@pytest.mark.parametrize(("learning_rate", "steps"), [(100.0, 3), (3e38, 10)])
def test_sga_that_gains_nothing_keeps_the_analysis_latents(make, eagerly, learning_rate, steps):
    model = make()
    pixels = picture(48, 64)
    # The larger rate leads to latents that are not finite, which cannot be quantized.
    refined = sga(model, learning_rate=learning_rate, steps=steps)(pixels)
    assert refined.loss == refined.loss_before
    codec = ImageCodec(model, "tiny")
    assert codec.encode(pixels, latents=refined.latents) == codec.encode(pixels)


def test_sga_moves_hyper_latents_too(make, eagerly):
    model = make("mean_scale_hyperprior")
    pixels = picture(64, 64)
    start = Objective(model, MeanSquaredError(), LMBDA).start(pixels)
    refined = sga(model)(pixels)
    assert refined.loss < refined.loss_before
    assert np.abs(refined.latents.hyper - start.hyper).max() > 0.01


def test_refinement_leaves_the_model_as_it_was(make, eagerly):
    model = make("mean_scale_hyperprior")
    before = [variable.numpy() for variable in model.variables]
    quantizers = model.quantizer, model.hyper_quantizer
    sga(model, steps=2)(picture(32, 32))
    assert (model.quantizer, model.hyper_quantizer) == quantizers
    after = [variable.numpy() for variable in model.variables]
    assert len(after) == len(before)
    for one, other in zip(before, after):
        np.testing.assert_array_equal(one, other)


def test_the_temperature_is_the_papers():
    tau = Temperature(steps=2000, decay=2.0, hold=0.35, highest=0.5)
    for step in (0, 700, 1000, 1392, 1394, 1700, 1999):
        assert tau(step) == pytest.approx(min(math.exp(-0.001 * (step - 700)), 0.5))
    assert tau(1392) == 0.5 > tau(1394)
    half = Temperature(steps=1000, decay=2.0, hold=0.35, highest=0.5)
    assert half(850) == pytest.approx(tau(1700))


def test_tau_follows_the_schedule(make, eagerly):
    refine = sga(make(), steps=10)
    seen = []

    def note(step, steps, loss):
        assert steps == 10 and np.isfinite(loss)
        seen.append((step, float(refine._choices[0].annealed["tau"].value)))

    refine(picture(32, 32), note)
    expected = [(k + 1, min(math.exp(-2 * (k / 10 - 0.35)), 0.5)) for k in range(10)]
    np.testing.assert_allclose(seen, expected, rtol=1e-6)


def test_the_relaxed_quantizer_at_low_temperature_is_the_exact_one(make):
    for quantizer in ("mixed", "universal", "learned_step"):
        model = make("bls2017", quantizer)
        latents = model.analyze(picture(48, 48))[tf.newaxis]
        refine = sga(model, highest_tau=0.01)
        relaxed = refine._relaxed.quantize(latents, training=True)
        exact = model.quantize(latents, training=False)
        agree = np.isclose(relaxed.values, exact.values, atol=1e-3)
        assert agree.mean() > 0.97, "but for latents halfway between two points"


def test_levels_bound_the_choices(make):
    model = make("bls2017", "straight_through", "quantizer.levels=2")
    latents = tf.constant([[-3.0, 0.2, 0.9, 7.0]])
    choices = sga(model)._relaxed.quantizer(latents, training=True)
    for values in (choices.decoder_input, choices.rate_input):
        assert values.numpy().min() >= 0 and values.numpy().max() <= 1
        assert values.numpy()[0, 0] == 0 and values.numpy()[0, 3] == 1


def test_adam_is_the_librarys(make):
    refine = sga(make(), learning_rate=0.05, steps=1)
    pixels = picture(32, 32)
    start = refine._objective.start(pixels)
    library = tf.keras.optimizers.Adam(0.05, epsilon=1e-12)
    variable = tf.Variable(start.values[tf.newaxis])
    from codec.refinement.sga import _Adam, _adam

    zeros = (tf.zeros_like(variable),)
    state = _Adam((tf.constant(variable),), zeros, zeros)
    for number in range(1, 4):
        gradient = tf.sin(state.values[0] * number)
        state = _adam(state, (gradient,), 0.05, tf.constant(float(number)))
        library.apply_gradients([(gradient, variable)])
    np.testing.assert_allclose(state.values[0], variable, atol=1e-5)


@pytest.mark.parametrize("model", ["bls2017", "mean_scale_hyperprior"])
def test_rdoq_never_raises_the_loss_and_its_rates_are_exact(make, eagerly, model):
    model = make(model)
    refine = rdoq(model)
    coder = refine._objective.coder
    pixels = picture(48, 64, seed=5)
    start = refine._objective.start(pixels)
    grid = start._replace(values=coder.quantize(start).values)
    coded = coder.quantize(grid)
    each = coder.bits_of_each(coded)
    total = coder.symbol_bits(coded) - coder.side_bits(coded)
    assert each.sum(dtype=np.float64) == pytest.approx(total, rel=1e-5)

    # With no distortion the gain of a move is its rate alone.
    moves = refine.moves(pixels, grid, np.zeros(each.shape[-1], np.float32))
    gradient = refine._gradient(
        tf.cast(pixels, tf.float32)[tf.newaxis], grid.values[tf.newaxis]
    ).numpy()[0]
    change = moves.values - grid.values.numpy()
    np.testing.assert_allclose(np.abs(change), 1, atol=1e-4)
    place = np.unravel_index(np.argmax(moves.gains), moves.gains.shape)
    moved = grid.values.numpy().copy()
    moved[place] = moves.values[place]
    after = coder.quantize(grid._replace(values=tf.constant(moved)))
    saved = coder.symbol_bits(coded) - coder.symbol_bits(after)
    promised = moves.gains[place] + gradient[place] * change[place]
    assert promised * pixels[..., 0].size == pytest.approx(saved, abs=0.02)

    losses = []
    refined = refine(pixels, lambda step, steps, loss: losses.append(loss))
    assert all(b <= a for a, b in zip([refined.loss_before, *losses], losses))
    moved = refined.latents.values - grid.values
    np.testing.assert_allclose(moved, np.round(moved), atol=1e-3)
    assert np.count_nonzero(np.round(moved)) > 0


@pytest.mark.parametrize("method", [sga, rdoq])
def test_quantizers_without_a_grid_for_each_latent_are_refused(compose, method):
    small = "model.transforms.num_filters=8"
    # Refused before anything is looked at: an untrained model will do.
    for quantizer, what in (
        ("finite_scalar", "indices of codes"),
        ("trellis", "grids that depend on other symbols"),
        ("lattice", "grids that depend on other symbols"),
        ("stanh", "cells of unequal width"),
    ):
        with pytest.raises(ValueError, match=f"refinement={method.__name__} needs .* {what}"):
            method(build_model(compose(small, f"quantizer={quantizer}")))


@pytest.mark.parametrize(
    "method, settings, message",
    [
        (sga, {"steps": 0}, "steps=0 must be a whole number of at least 1"),
        (rdoq, {"steps": -1}, "steps=-1 must be"),
        (rdoq, {"steps": 2.5}, "steps=2.5 must be"),
        (sga, {"learning_rate": 0.0}, "learning_rate=0.0 must be positive"),
        (sga, {"decay": -1.0}, "decay=-1.0 must be"),
        (sga, {"decay": 3000.0}, "decay=3000.0.* must be at least 0.01"),
        (sga, {"hold": 1.5}, "hold=1.5 must be 0 to 1"),
        (sga, {"highest_tau": 0.0}, "highest_tau=0.0 must be"),
        (sga, {"seed": -1}, "seed=-1 must be"),
        (rdoq, {"seed": 2**31}, "must be 0 to"),
    ],
)
def test_settings_out_of_range_are_refused(make, method, settings, message):
    with pytest.raises(ValueError, match=message):
        method(make(), **settings)


def test_a_lmbda_without_meaning_is_refused(make):
    with pytest.raises(ValueError, match="lmbda=0 must be positive"):
        Objective(make(), MeanSquaredError(), 0)


def test_too_large_and_too_small_images_are_refused(make, eagerly):
    with pytest.raises(ValueError, match=r"4097 x 1024 pixels: refinement takes at most"):
        rdoq(make())(np.zeros([1024, 4097, 3], np.uint8))
    objective = Objective(make(), MultiScaleSsim(), 10.0)
    with pytest.raises(ValueError, match="ms_ssim needs images of at least 161x161"):
        StochasticGumbelAnnealing(objective=objective, steps=1)(picture(64, 64))


def test_another_distortion_goes_through_the_same_callable(make, eagerly):
    objective = Objective(make(), MultiScaleSsim(), 10.0)
    refined = StochasticGumbelAnnealing(objective=objective, steps=6, learning_rate=0.05)(
        picture(176, 163)
    )
    assert refined.loss < refined.loss_before


def test_where_no_move_is_promising_rdoq_takes_no_step(make, eagerly, monkeypatch):
    refine = rdoq(make())
    monkeypatch.setattr(refine, "moves", lambda *_: Moves(np.zeros(1), np.zeros(1)))
    assert refine(picture(32, 48)).steps == 0


def test_every_choice_of_the_group_builds_and_refines(make, eagerly, refinement_name):
    from assembly.refining import refinement_node

    node = refinement_node(refinement_name, 2)
    refine = build_part(node, objective=Objective(make(), MeanSquaredError(), LMBDA))
    assert refine.name == refinement_name
    refined = refine(picture(32, 48))
    assert refined.steps <= 2 and refined.loss <= refined.loss_before
