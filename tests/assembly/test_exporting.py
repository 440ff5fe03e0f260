"""Exported transforms: loaded by TensorFlow alone in another process, they agree with the codec."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from assembly.exporting import export
from assembly.parts import build_model
from codec import ImageCodec

SMALL = ["model.transforms.num_filters=8", "precision=float32"]
MODELS = {
    "bls2017": [],
    "mean_scale_hyperprior": ["model.transforms.latent_channels=16", "rate=variable"],
    "lapped": ["model.transforms.latent_channels=24", "model.hyper.slices=3", "quantizer=gumbel"],
}
USER = """
import sys
import numpy as np
import tensorflow as tf

pixels = np.load("pixels.npy")
height, width = pixels.shape[:2]
for name in sys.argv[1:]:
    run = tf.saved_model.load(name).signatures
    y = run["analysis"](signals=tf.constant(pixels[None], tf.float32))["latents"]
    values, indexes = tf.round(y), []
    if "hyper_analysis" in run:
        z = tf.round(run["hyper_analysis"](latents=y)["hyper_latents"])
        side = dict(hyper_values=z, rows=tf.shape(y)[1], columns=tf.shape(y)[2])
        decoded = y[..., :0]
        for number in range(sum(key.startswith("prediction_") for key in run)):
            known = {"decoded": decoded} if number else {}
            prediction = run[f"prediction_{number}"](**side, **known)
            start, size = decoded.shape[-1], prediction["indexes"].shape[-1]
            latents = y[..., start : start + size] - prediction["means"]
            latents *= prediction.get("gains", 1.0)
            decoded = tf.concat([decoded, tf.round(latents)], -1)
            indexes.append(prediction["indexes"])
        values = run["values"](**side, decoded=decoded)["values"]
        np.save(f"{name}-indexes.npy", tf.concat(indexes, -1))
    signals = run["synthesis"](values=values)["signals"][0, :height, :width]
    np.save(f"{name}-decoded.npy", tf.saturate_cast(tf.round(signals), tf.uint8))
assert not {"tensorflow_compression", "quantizers", "models"} & sys.modules.keys()
"""


@pytest.fixture(scope="module")
def codecs(compose):
    noise = np.random.default_rng(0)
    made = {}
    for name, settings in MODELS.items():
        model = build_model(compose(f"model={name}", *SMALL, *settings))
        for variable in model.hyper.trainable_variables if model.hyper else ():
            spread = 3 if "bias" in variable.name else 0.1
            variable.assign_add(noise.normal(0, spread, variable.shape))
        model.freeze()
        made[name] = ImageCodec(model, name)
    return made


@pytest.fixture(scope="module")
def exported(codecs, tmp_path_factory):
    """A folder with the exported models by their names."""
    folder = tmp_path_factory.mktemp("exported")
    for name, codec in codecs.items():
        export(codec.model, folder / name)
    return folder


def test_agrees_with_the_codec_in_another_process(codecs, exported):
    pixels = np.random.default_rng(1).integers(0, 256, [5, 7, 3], np.uint8)
    pixels = pixels.repeat(12, 0).repeat(11, 1)[:53, :70]  # No multiples of the strides.
    np.save(exported / "pixels.npy", pixels)
    (exported / "user.py").write_text(USER)
    command = [sys.executable, "user.py", *codecs]  # A new one: what it imports is tested.
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=exported)
    assert done.returncode == 0, done.stderr[-2000:]
    for name, codec in codecs.items():
        decoded = np.load(exported / f"{name}-decoded.npy")
        differences = np.abs(decoded.astype(int) - codec.decode(codec.encode(pixels)))
        assert (differences <= 1).mean() >= 0.999, name
        if codec.model.hyper is not None:
            expected = indexes_of(codec.model, pixels)
            np.testing.assert_array_equal(np.load(exported / f"{name}-indexes.npy"), expected)
            assert len(np.unique(expected)) > 5


def indexes_of(model, pixels):
    """Scale indexes as the encoder uses them, ``[1, rows, columns, channels]``."""
    y = model.analyze(pixels)[tf.newaxis]
    z = model.hyper_quantizer(model.hyper.analysis(y), training=False).decoder_input
    predictor = model.predictor(z, y.shape[1], y.shape[2], exact=True)
    found = []
    for latents in tf.split(y, model.slice_sizes, axis=-1):
        prediction = predictor.next()
        found.append(prediction.indexes)
        predictor.add(tf.round(prediction.centre(latents)))
    return tf.concat(found, -1).numpy().astype(int)


def test_no_surrogate_is_in_the_graph(codecs, exported):
    library = tf.saved_model.load(str(exported / "lapped"))
    ops = {op.type for graph in library.signatures.values() for op in graph.graph.get_operations()}
    assert not any("Random" in op for op in ops)
    with pytest.raises(ValueError, match=r"--output .* exists"):
        export(codecs["lapped"].model, exported / "lapped")
