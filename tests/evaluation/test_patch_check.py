"""The check that a model codes whole images as it codes the patches that it was trained on."""

import numpy as np
import tensorflow as tf

from evaluation.patch_check import check_patches


class InsideCostsMore:
    """A model whose bits grow with the latents that lie inside, as learned from patches alone."""

    def __init__(self, inside):
        self.inside = inside

    def analyze(self, pixels):
        return tf.cast(pixels[::16, ::16], tf.float32)

    def quantize(self, latents, training):
        rows, columns = latents.shape[1:3]
        bits = rows * columns + (self.inside - 1) * max(rows - 8, 0) * max(columns - 8, 0)
        return type("Quantized", (), {"bits": tf.fill(len(latents), float(bits))})


def test_patches_and_whole_image_are_counted_over_the_same_pixels():
    pixels = np.zeros([300, 400, 3], np.uint8)
    check = check_patches(InsideCostsMore(1), pixels, 128)
    assert check.whole == check.patches == 1 / 256
    assert check.warning("photo") is None


def test_a_model_that_knows_patches_alone_is_named():
    check = check_patches(InsideCostsMore(5), np.zeros([512, 768, 3], np.uint8), 128)
    assert check.whole > 2 * check.patches
    assert "photo takes" in check.warning("photo") and "patches of 128" in check.warning("photo")


def test_small_images_are_not_judged():
    assert check_patches(InsideCostsMore(5), np.zeros([200, 200, 3], np.uint8), 128) is None
