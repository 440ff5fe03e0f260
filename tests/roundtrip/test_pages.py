"""The Python examples of the pages run as they are, in a folder outside of the checkout."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def examples(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


@pytest.fixture
def run(fresh, tmp_path):
    """Runs code in the test's folder; returns its output."""

    def run(code):
        (tmp_path / "page.py").write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}")
        done = fresh(tmp_path / "page.py", cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


def test_keras_page(run):
    classifier, autoencoder = examples("keras.md")
    output = run(f"{classifier}\n{autoencoder}")
    accuracy, values = re.search(r"^(\S+) (\[.*\])$", output, re.MULTILINE).groups()
    assert float(accuracy) > 0.9 and values == "[0. 1.]"
    figures = dict(re.findall(r"'(\w+)': ([\d.]+)", output))
    # Weights are random: an error of 2 without bits, and 30 bits without a rate in the loss.
    assert float(figures["latents_bits"]) < 9 and float(figures["loss"]) < 0.3


def test_differentiable_round_page(run):
    """Each answer is the surrogate of its name, in value and gradient."""
    checks = """
import numpy as np
import quantizers

settings = {"Fourier": dict(terms=5), "Ramp": dict(slope=10.0), "Sigmoid": dict(slope=25.0),
            "SoftRound": dict(alpha=7.0), "Sinusoidal": dict(iterations=1)}
names = {"straight_through": "StraightThrough", "identity_gradient": "IdentityGradient",
         "identity": "Identity", "sinusoidal": "Sinusoidal", "fourier": "Fourier", "ramp": "Ramp",
         "sigmoid": "Sigmoid", "soft_round": "SoftRound"}
for name, kind in names.items():
    results = []
    for function in (globals()[name], getattr(quantizers, kind)(**settings.get(kind, {}))):
        y = tf.constant(np.linspace(-2.04, 2.07, 400), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(y)
            values = function(y)
        results += [values, tape.gradient(values, y)]
    np.testing.assert_allclose(results[0], results[2], atol=1e-5, err_msg=name)
    np.testing.assert_allclose(results[1], results[3], atol=1e-3, err_msg=name)
    print(name)
"""
    code = "\n".join(examples("differentiable_round.md"))
    assert len(run(code + checks).split()) == 8


def test_python_page(run, tmp_path):
    code = "\n".join(examples("python.md"))
    # Classical codecs beside the test images take longer than the training.
    quick = code.replace('"steps=20"', '"steps=20", "test_images=1", "classical=[]"')
    assert quick != code
    checks = """
from hydra.core.global_hydra import GlobalHydra
from hydra.core.config_store import ConfigStore
assert not GlobalHydra.instance().is_initialized()
assert not {"settings.yaml", "evaluation_settings.yaml"} & set(ConfigStore.instance().repo)
"""
    output = run(quick + checks)
    assert re.search(r"^[\d.]+ bpp \(512, 512, 3\) uint8$", output, re.MULTILINE)
    assert re.search(r"^2 JPEG \+0.0 %$", output, re.MULTILINE)
    assert (tmp_path / "runs/first/results").is_dir()
    assert (tmp_path / "build/comparison/report.html").is_file()


def test_a_mistake_is_one_error_that_names_the_argument(monkeypatch, tmp_path):
    import numpy as np

    import roundtrip

    image, speech = roundtrip.load("pretrained:image"), roundtrip.load("pretrained:speech")
    monkeypatch.chdir(tmp_path)
    pixels, samples = np.zeros([16, 16, 3], np.uint8), np.zeros([99, 1], np.float32)
    published = str(ROOT / "results" / "kodak" / "classical" / "jpeg.json")

    def compare(**options):
        return roundtrip.compare([published, published], anchor="JPEG", **options)

    for call, kind, message in (
        (lambda: image.encode([1]), TypeError, "signal=[1] must be a NumPy array."),
        (lambda: image.encode(None), TypeError, "signal=None must be a NumPy array."),
        (lambda: image.encode(pixels, quality="9"), TypeError, "quality='9' must be a number."),
        (lambda: speech.encode(samples, 8e3), TypeError, "sample_rate=8000.0 must be a whole nu"),
        (lambda: image.decode("abc"), TypeError, "data='abc' must be bytes."),
        (lambda: image.decode(5), TypeError, "data=5 must be bytes."),
        (lambda: roundtrip.load(5), TypeError, "run=5 must be a name or a path."),
        (lambda: roundtrip.load("x", config_dir="none"), ValueError, "--config-dir 'none' is no"),
        (lambda: roundtrip.compare(5, anchor="JPEG"), TypeError, "results=5 must be a name or"),
        (lambda: roundtrip.compare([5], anchor="JPEG"), TypeError, "results=5 must be a name or"),
        (lambda: roundtrip.compare(published, anchor="PNG"), ValueError, "anchor='PNG'"),
        (lambda: compare(metric="psnr"), ValueError, "metric='psnr' must be one of"),
        (lambda: compare(only=["WebP"]), TypeError, "only=['WebP'] must be names with commas"),
        (lambda: compare(resamples="9"), TypeError, "resamples='9' must be a whole number."),
        (lambda: compare(output=published), ValueError, "jpeg.json' is a file: name a folder."),
        (lambda: compare(output=5), TypeError, "output=5 must be a name or a path."),
        (lambda: roundtrip.train(["steps=3"]), TypeError, "overrides=['steps=3'] must be text"),
        (lambda: roundtrip.train("-m", "lmbda=0.1,0.2"), ValueError, "-m trains many runs"),
        (lambda: image.evaluate(classical=[5]), TypeError, "classical=5 must be a list of names."),
        (lambda: image.evaluate(limit="3"), TypeError, "limit='3' must be a whole number."),
        (lambda: image.evaluate(classical="JPEG"), TypeError, "classical='JPEG' must be a list"),
        (lambda: image.evaluate(["photos"]), TypeError, "data=['photos'] must be a name or a dict"),
        (lambda: image.evaluate("tones"), ValueError, "data=TonesAudio is for audio"),
        (lambda: image.evaluate("image_folder", {"root": "none"}), FileNotFoundError, "root='none"),
        (lambda: image.evaluate("photos", {"patch_size": 0}), ValueError, "patch_size=0 must be"),
    ):
        with pytest.raises(kind) as caught:
            call()
        assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not any(tmp_path.iterdir())
    data = image.encode(pixels)
    for same in (bytearray(data), memoryview(data)):
        np.testing.assert_array_equal(image.decode(same), image.decode(data))
    assert len(speech.encode(samples, np.int64(8000))) > 0


def test_a_mistake_is_the_error_of_the_command(monkeypatch, tmp_path):
    import roundtrip

    monkeypatch.chdir(tmp_path)
    shown = []
    with pytest.raises(ValueError, match=r"^lmbda=-1\.0 must be above 0"):
        roundtrip.train("lmbda=-1", show=shown.append)
    assert shown[-1].startswith("error: ") and not any(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match="is not a run directory"):
        roundtrip.load("none")
