"""QuantizerLayer in Keras models: gradients, files, policies, rates, schedules."""

import itertools
import warnings

import numpy as np
import pytest
import tensorflow as tf
from omegaconf import OmegaConf

from assembly.parts import build_part
from roundtrip import AdvanceSchedules, QuantizerLayer

keras = tf.keras
CHANNELS = 8
X = np.random.default_rng(0).normal(0, 2, (64, CHANNELS)).astype(np.float32)


def functional(layer):
    inputs = keras.Input([CHANNELS])
    outputs = keras.layers.Dense(CHANNELS)(layer(keras.layers.Dense(CHANNELS)(inputs)))
    return keras.Model(inputs, outputs)


def fitted(model, **options):
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.fit(X, X, batch_size=32, verbose=0, callbacks=[AdvanceSchedules()], **options)
    return model


class Subclassed(keras.Model):
    def __init__(self, layer=None, **options):
        super().__init__(**options)
        self.inner = keras.Sequential([keras.layers.Dense(CHANNELS), layer])

    def call(self, inputs, training=None):
        return self.inner(inputs, training=training)

    def get_config(self):
        return {"layer": keras.saving.serialize_keras_object(self.inner.layers[1])}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["layer"]))


def bits_of(model):
    (layer,) = (m for m in model.submodules if isinstance(m, QuantizerLayer))
    return layer.entropy.bits(layer.quantizer(tf.constant(X), training=False).rate_input).numpy()


def layer_of(name, **options):
    settings = {"levels": [8, 5, 5, 5]} if name == "finite_scalar" else None
    return QuantizerLayer(name, settings=settings, steps=4, seed=3, entropy="auto", **options)


@pytest.mark.filterwarnings("ignore:Even though")  # What tf.data still does in graphs.
def test_files_hold_every_variable(quantizer_kind, tmp_path, eagerly):
    """Predictions, rates and the noise to come are the same after loading."""
    model = fitted(functional(layer_of(quantizer_kind)), epochs=1)
    model.save(tmp_path / "model.keras")
    other = keras.models.load_model(tmp_path / "model.keras")
    for run in (lambda m: m(X).numpy(), bits_of, lambda m: sum(m.losses).numpy()):
        np.testing.assert_array_equal(run(model), run(other))
    for each in (model, other):
        each.fit(X, X, batch_size=32, verbose=0, shuffle=False, callbacks=[AdvanceSchedules()])
    np.testing.assert_array_equal(*(m(X).numpy() for m in (model, other)))


def test_weights_alone_hold_every_variable(tmp_path):
    model, other = (functional(layer_of("finite_scalar")) for _ in range(2))
    fitted(model, epochs=1).save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(bits_of(model), bits_of(other))
    foreign = functional(layer_of("uniform_noise"))
    with pytest.raises(ValueError, match="the file is of another quantizer"):
        foreign.load_weights(tmp_path / "model.weights.h5")


def test_subclassed_models(tmp_path):
    model = fitted(Subclassed(layer_of("mixed")), epochs=1)
    model.save(tmp_path / "model.keras")
    custom = {"Subclassed": Subclassed}
    other = keras.models.load_model(tmp_path / "model.keras", custom_objects=custom)
    np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))
    np.testing.assert_array_equal(bits_of(model), bits_of(other))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_computes_in_float32_under_every_policy(policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        layer = layer_of("soft_round")
        model = fitted(functional(layer), epochs=1)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert {v.dtype for v in layer.trainable_variables} == {tf.float32}
    assert layer(tf.constant(X, tf.bfloat16)).dtype == tf.float32
    assert np.isfinite(model.predict(X, verbose=0)).all()


def test_is_the_quantizer(quantizer_name):
    layer = layer_of(quantizer_name)
    quantizer = build_part(OmegaConf.create(layer.get_config()["quantizer"]))
    quantizer.build(CHANNELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for training in (False, True):
            expected = quantizer(tf.constant(X), training).decoder_input
            np.testing.assert_array_equal(layer(X, training=training), expected)


def test_rate_and_penalty_join_the_loss():
    layer = QuantizerLayer("vector", entropy="auto", rate_weight=0.5)
    layer(X, training=True)
    penalty, rate = layer.losses
    assert penalty > 0
    bits = np.log2(256) * np.ones(len(X))  # Of one untrained categorical symbol.
    np.testing.assert_allclose(rate, 0.5 * bits.mean(), rtol=1e-4)
    (metric,) = layer.metrics
    np.testing.assert_allclose(metric.result(), bits.mean(), rtol=1e-4)
    assert metric.name == f"{layer.name}_bits"


def test_schedules_follow_the_optimizer():
    layer = QuantizerLayer("soft_round", steps=4)
    model = fitted(functional(layer), epochs=2)
    (alpha,) = layer.quantizer.annealed.values()
    assert alpha.value == alpha.schedule(3) > alpha.schedule(0)
    fitted(model, epochs=1, initial_epoch=0)  # compile() made a new optimizer: it starts again.
    assert alpha.value == alpha.schedule(1)


@pytest.mark.parametrize("at_once", [4, "auto"])
def test_refuses_executions_of_many_steps(at_once):
    model = functional(QuantizerLayer("soft_round", steps=4))
    model.compile("sgd", "mse", steps_per_execution=at_once)
    if at_once == "auto" and hasattr(model, "enable_tune_steps_per_execution"):
        model.enable_tune_steps_per_execution = True  # TensorFlow 2.14 wants both.
    with pytest.raises(ValueError, match=rf"^steps_per_execution={at_once} must be 1 in [^\n]*$"):
        model.fit(X, X, batch_size=16, verbose=0, callbacks=[AdvanceSchedules()])


@pytest.mark.parametrize("trainable", [True, False])
def test_codebooks_stay_unless_they_are_trainable(trainable):
    layer = QuantizerLayer("vector", trainable=trainable)
    layer(X)
    before = [variable.numpy() for _, variable in layer._state()]
    layer(X, training=True)
    after = [variable.numpy() for _, variable in layer._state()]
    assert all(map(np.array_equal, before, after)) != trainable


def test_warns_of_schedules_that_nothing_advances():
    layer = QuantizerLayer("soft_round", steps=4)
    layer(X)
    with pytest.warns(UserWarning, match="AdvanceSchedules"):
        layer(X, training=True)
    layer.advance(2)
    constant = QuantizerLayer("soft_round", settings={"decoder.alpha": 7})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer(X, training=True)
        constant(X, training=True)


def test_the_hard_phase_freezes_what_is_before():
    layer = QuantizerLayer("uniform_noise", settings={"hard_from_step": 2})
    model = functional(layer)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_batch_end=lambda batch, logs: seen.append([w.copy() for w in model.get_weights()])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, X, batch_size=16, verbose=0, callbacks=[AdvanceSchedules(), note])
    same = [[(a == b).all() for a, b in zip(*pair)] for pair in itertools.pairwise(seen)]
    assert not any(same[0]) and same[1] == same[2] == [True, True, False, False]


def test_two_levels_are_bits():
    layer = QuantizerLayer("straight_through", settings={"levels": 2})
    p = tf.Variable([[0.0, 0.2, 0.49, 0.51, 1.0]])
    with tf.GradientTape() as tape:
        bits = layer(p, training=True)
    np.testing.assert_array_equal(bits, [[0, 0, 0, 1, 1]])
    np.testing.assert_array_equal(tape.gradient(bits, p), np.ones([1, 5]))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(quantizer="soft_rond"), "quantizer='soft_rond' must be one of.*did you mean"),
        (dict(quantizer=3), "quantizer=3 must be a name, or a dict"),
        (dict(quantizer="soft_round"), "refers to what is not given: steps="),
        (dict(settings={"level": 2}), "has no 'level'; did you mean 'levels'"),
        (dict(settings={"decoder.alpha.end": 2}), "has no 'decoder.alpha.end'"),
        (dict(entropy="autom"), "entropy='autom' must be one of"),
        (dict(quantizer="mixed", settings={"levels": 1}), "^levels=1 must be at least 2"),
        (dict(quantizer="soft_round", steps=0), "^steps=0 must be a number, at least 1"),
        (dict(steps="a"), "^steps='a' must be a number, at least 1"),
        (dict(rate_weight=-1), "rate_weight=-1 must be a finite number, at least 0"),
        (dict(rate_weight=np.inf), "rate_weight=inf must be a finite number"),
        (dict(rate_weight="a"), "rate_weight='a' must be a finite number, at least 0"),
        (dict(dtype="float16"), "dtype: quantizers compute in float32"),
        (dict(quantizer={"_target_": "os.system", "command": "true"}), "'os.system' must be a"),
        (dict(quantizer={"_target_": "no.such"}), "_target_='no.such'"),
        (dict(quantizer={"_target_": "quantizers.StraightThrough"}), "not a surrogate"),
        (dict(quantizer={"_target_": "x", "seed": "${oc.env:HOME}"}), "own settings only"),
        (dict(settings={"levels": "${oc.env:HOME}"}), "own settings only"),
        (dict(entropy={"_target_": "os.getcwd"}), "^entropy={.*} must be a name, or None"),
        (dict(seed="${oc.env:HOME}"), "^seed='.*' must be a whole number"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        QuantizerLayer(**arguments)


def test_numbers_of_numpy_are_numbers():
    numbers = dict(steps=np.int64(10), seed=np.int64(3), rate_weight=np.float32(0.5))
    settings = {"levels": np.int64(2)}
    config = QuantizerLayer("soft_round", settings=settings, entropy="auto", **numbers).get_config()
    assert config["rate_weight"] == 0.5 and config["quantizer"]["levels"] == 2


def test_channels_must_be_known():
    with pytest.raises(ValueError, match="must end in a known size"):
        QuantizerLayer()(keras.Input([None]))
