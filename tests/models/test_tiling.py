import numpy as np
import pytest
import tensorflow as tf

from models.bls2017 import Bls2017Transforms
from models.factorized import FactorizedTransforms
from models.tiling import WHOLE, apply_in_tiles, spans
from processor.stack import set_random_seed


@pytest.fixture(params=[Bls2017Transforms, FactorizedTransforms], ids=["bls2017", "factorized"])
def transforms(request):
    set_random_seed(1)
    return request.param(num_filters=6)


def images(rows, columns, stride=16):
    shape = [1, rows * stride, columns * stride, 3]
    return tf.constant(np.random.default_rng(0).uniform(0, 255, shape), tf.float32)


def largest_difference(result, expected):
    return np.abs(result - expected).max() / np.abs(expected).max()


# Rows and columns of latents: multiples of the tile, not, one tile and a bit, a narrow strip.
@pytest.mark.parametrize("size", [(16, 24), (13, 21), (9, 8), (3, 50)])
def test_tiles_equal_the_whole(transforms, size):
    pixels = images(*size)
    latents = transforms.analysis(pixels)
    values = tf.round(latents * 20)

    tiled = apply_in_tiles(transforms, "analysis", pixels, whole=0, tile=8)
    assert largest_difference(tiled, latents) < 1e-5
    tiled = apply_in_tiles(transforms, "synthesis", values, whole=0, tile=8)
    assert largest_difference(tiled, transforms.synthesis(values)) < 1e-5


def test_less_context_would_not_do(transforms):
    pixels = images(16, 24)
    latents = transforms.analysis(pixels)
    values = tf.round(latents * 20)
    transforms.contexts = tuple(context - 1 for context in transforms.contexts)
    for direction, inputs, whole in [
        ("analysis", pixels, latents),
        ("synthesis", values, transforms.synthesis(values)),
    ]:
        tiled = apply_in_tiles(transforms, direction, inputs, whole=0, tile=8)
        assert largest_difference(tiled, whole) > 1e-3


def test_the_size_alone_decides(transforms):
    small = images(8, 8)
    np.testing.assert_array_equal(
        apply_in_tiles(transforms, "analysis", small), transforms.compiled_analysis(small)
    )
    # The first size that is cut: once more than WHOLE, through the default arguments.
    large = images(2, WHOLE // 2 + 1)
    tiled = apply_in_tiles(transforms, "analysis", large)
    assert largest_difference(tiled, transforms.analysis(large)) < 1e-5


def test_one_trace_serves_all_sizes(transforms):
    for size in [(16, 24), (13, 21), (2, 3)]:
        pixels = images(*size)
        latents = apply_in_tiles(transforms, "analysis", pixels, whole=30, tile=8)
        apply_in_tiles(transforms, "synthesis", latents, whole=30, tile=8)
    assert transforms.compiled_analysis.experimental_get_tracing_count() == 1
    assert transforms.compiled_synthesis.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("length", [1, 7, 8, 9, 64, 65, 250])
def test_spans_cover_the_axis_in_windows_of_one_length(length):
    cuts = spans(length, context=2, tile=8)
    kept = [range(c.start + c.keep_from, c.start + c.keep_to) for c in cuts]
    assert [i for part in kept for i in part] == list(range(length))
    assert len({c.stop - c.start for c in cuts}) == 1
    for cut, part in zip(cuts, kept):
        assert cut.start >= 0 and cut.stop <= length and len(part) <= 8
        assert cut.start == 0 or part.start - cut.start >= 2
        assert cut.stop == length or cut.stop - part.stop >= 2


def test_no_third_direction(transforms):
    with pytest.raises(ValueError, match="direction='both' must be analysis or synthesis"):
        apply_in_tiles(transforms, "both", images(1, 1))
