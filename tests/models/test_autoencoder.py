"""The joined model: one forward pass, gradients everywhere, paired initial weights."""

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model

# Only data of audio has the sample rate that audio models need.
SMALL = ("model.transforms.num_filters=8", "precision=float32", "data=tones")


@pytest.fixture
def make(compose):
    def make_model(*overrides):
        return build_model(compose(*SMALL, *overrides))

    return make_model


def signals(transforms):
    """Two examples of the model's medium."""
    if transforms.medium == "image":
        return images()
    return tf.constant(np.random.default_rng(0).normal(0, 0.07, [2, 1, 512, 1]), tf.float32)


def images(seed=0, batch=2):
    noise = np.random.default_rng(seed).uniform(0, 255, [batch, 32, 48, 3])
    return tf.constant(noise, tf.float32)


def check_forward(model, inputs, forward):
    down, across = model.transforms.strides
    _, height, width, _ = inputs.shape
    assert forward.reconstructions.shape == inputs.shape
    assert forward.bits.shape == (2,) and (forward.bits.numpy() > 0).all()
    latents = tf.concat(forward.inputs.latents, -1)
    channels = model.transforms.latent_channels
    assert latents.shape == (2, height // down, width // across, channels)
    assert all(value.dtype == tf.float32 for value in (*forward[:3], latents))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_model_runs_and_each_parameter_gets_a_gradient(make, model_name, precision):
    model = make(f"model={model_name}", f"precision={precision}", "quantizer=uniform_noise")
    inputs = signals(model.transforms)
    check_forward(model, inputs, model(inputs, training=False))
    for variable in model.trainable_variables:
        if not variable.numpy().any():  # Layers that begin at zero hide those before them.
            variable.assign_add(0.01 * tf.random.stateless_normal(variable.shape, [0, 1]))
    with tf.GradientTape() as tape:
        forward = model(inputs, training=True)
        error = tf.reduce_mean(tf.math.squared_difference(inputs, forward.reconstructions))
        loss = error + tf.reduce_mean(forward.bits)
    check_forward(model, inputs, forward)
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients):
        assert variable.dtype == tf.float32
        assert gradient is not None and np.isfinite(gradient).all(), variable.name
        assert np.abs(gradient).max() > 0, variable.name


@pytest.fixture(scope="module")
def reference(compose):
    return build_model(compose(*SMALL, "quantizer=uniform_noise", "seed=5"))


def test_initial_weights_are_paired_over_quantizers(make, reference, quantizer_name):
    model = make(f"quantizer={quantizer_name}", "seed=5")
    pairs = [(model.transforms, reference.transforms)]
    if type(model.entropy) is type(reference.entropy):
        pairs.append((model.entropy, reference.entropy))
    for part, expected in pairs:
        assert len(part.trainable_variables) == len(expected.trainable_variables)
        for ours, theirs in zip(part.trainable_variables, expected.trainable_variables):
            np.testing.assert_array_equal(ours, theirs, err_msg=ours.name)


def test_the_single_image_path_is_the_forward_pass(make):
    model, batch = make("quantizer=straight_through"), images(batch=1)
    forward = model(batch, training=False)
    latents = model.analyze(batch[0])
    values = model.quantizer(latents, training=False).decoder_input
    np.testing.assert_allclose(latents, forward.inputs.latents[0][0], atol=1e-5)
    np.testing.assert_allclose(
        model.synthesize(values, 32, 48), forward.reconstructions[0], rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize(
    ("quantizer", "entropy", "message"),
    [
        ("finite_scalar", "factorized", "codes integers, but the quantizer yields indices"),
        ("mixed", "categorical", "codes indices, but the quantizer yields integers"),
    ],
)
def test_an_entropy_model_of_another_alphabet_is_refused(make, quantizer, entropy, message):
    with pytest.raises(ValueError, match=message):
        make(f"quantizer={quantizer}", f"entropy={entropy}")
