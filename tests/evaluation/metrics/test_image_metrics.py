"""PSNR of RGB and luma against closed forms; MS-SSIM against an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import tensorflow as tf
from PIL import Image

from evaluation.metrics import image as metrics
from evaluation.metrics.luma import luma_psnr


def ms_ssim_oracle(x, y):
    """Wang et al. 2003 as the paper has it: full 2-D windows, float64, symmetric padding."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()

    def filtered(image):
        windows = np.lib.stride_tricks.sliding_window_view(image, (11, 11))
        return np.einsum("ijkl,kl->ij", windows, window)

    def halved(image):
        image = np.pad(image, [(0, size % 2) for size in image.shape], mode="symmetric")
        return (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4

    def channel(x, y):
        product = 1.0
        for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            if scale:
                x, y = halved(x), halved(y)
            mean_x, mean_y = filtered(x), filtered(y)
            var_x, var_y = filtered(x * x) - mean_x**2, filtered(y * y) - mean_y**2
            covariance = filtered(x * y) - mean_x * mean_y
            term = (2 * covariance + 7.65**2) / (var_x + var_y + 7.65**2)
            if scale == 4:
                term *= (2 * mean_x * mean_y + 2.55**2) / (mean_x**2 + mean_y**2 + 2.55**2)
            product *= max(term.mean(), 0.0) ** weight
        return product

    x, y = x.astype(np.float64), y.astype(np.float64)
    return np.mean([channel(x[..., i], y[..., i]) for i in range(3)])


def degraded(pixels, spread, seed=0):
    noise = np.random.default_rng(seed).normal(0, spread, pixels.shape)
    return np.clip(np.round(pixels + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("error", [1, 7, 255])
def test_psnr_of_a_constant_error(error):
    black = np.zeros((3, 5, 3), np.uint8)
    expected = 20 * np.log10(255 / error)
    assert metrics.psnr(black, black + np.uint8(error)) == pytest.approx(expected, abs=1e-12)
    assert metrics.psnr(black + np.uint8(error), black) == pytest.approx(expected, abs=1e-12)


def test_psnr_averages_over_pixels_and_channels():
    black = np.zeros((10, 10, 3), np.uint8)
    one_wrong = black.copy()
    one_wrong[4, 4, 1] = 255
    assert metrics.psnr(black, one_wrong) == pytest.approx(10 * np.log10(300), abs=1e-12)


@pytest.mark.parametrize("channel, weight", enumerate([0.299, 0.587, 0.114]))
def test_luma_psnr_weighs_channels(channel, weight):
    gray = np.full((3, 5, 3), 100, np.uint8)
    wrong = gray.copy()
    wrong[..., channel] -= 7
    assert luma_psnr(gray, wrong) == pytest.approx(20 * np.log10(255 / (7 * weight)), abs=1e-9)
    assert luma_psnr(gray, gray + np.uint8(7)) == pytest.approx(metrics.psnr(gray, gray - 7))


def test_luma_is_that_of_jpeg():
    photo = skimage.data.coffee()[:200, :200]
    noisy = degraded(photo, 8)
    planes = (np.asarray(Image.fromarray(each).convert("YCbCr")) for each in (photo, noisy))
    original, reconstruction = (plane[..., :1].repeat(3, 2) for plane in planes)
    expected = metrics.psnr(original, reconstruction)  # Pillow rounds luma.
    assert luma_psnr(photo, noisy) == pytest.approx(expected, abs=0.05)


def test_equal_images_are_perfect():
    photo = skimage.data.astronaut()[:200, :200]
    assert metrics.psnr(photo, photo.copy()) == luma_psnr(photo, photo.copy()) == np.inf
    assert metrics.ms_ssim(photo, photo.copy()) == 1.0
    assert metrics.ms_ssim_db(1.0) == np.inf


@pytest.mark.parametrize("size", [(161, 161), (192, 173)])
@pytest.mark.parametrize("spread", [2, 20, 90])
def test_ms_ssim_equals_the_oracle(size, spread):
    photo = skimage.data.coffee()[: size[0], : size[1]]
    expected = ms_ssim_oracle(photo, degraded(photo, spread))
    assert metrics.ms_ssim(photo, degraded(photo, spread)) == pytest.approx(expected, abs=2e-5)


def test_ms_ssim_has_no_floor():
    photo = np.random.default_rng(0).integers(0, 256, (176, 176, 3), dtype=np.uint8)
    assert metrics.ms_ssim(photo, 255 - photo) == 0.0
    stock = tf.image.ssim_multiscale(photo, 255 - photo, max_val=255)
    assert stock.numpy() == 0.0


@pytest.mark.parametrize("size", [(160, 300), (300, 160), (1, 1)])
def test_ms_ssim_is_nan_below_its_minimum_size(size):
    black = np.zeros((*size, 3), np.uint8)
    assert np.isnan(metrics.ms_ssim(black, black))


def test_ms_ssim_db():
    np.testing.assert_allclose(metrics.ms_ssim_db([0.0, 0.9, 0.99]), [0, 10, 20], atol=1e-9)
    assert np.isnan(metrics.ms_ssim_db(np.nan))


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ms_ssim, luma_psnr])
def test_other_types_and_shapes_are_refused(metric):
    photo = np.zeros((200, 200, 3), np.uint8)
    with pytest.raises(ValueError, match="original must be uint8"):
        metric(photo.astype(np.float32), photo)
    with pytest.raises(ValueError, match="reconstruction must be uint8"):
        metric(photo, photo[..., :1])
    with pytest.raises(ValueError, match=r"shape \(200, 200, 3\), got \(199, 200, 3\)"):
        metric(photo, photo[1:])
