"""Convolutions that see their outermost inputs repeated beyond the border."""

import numpy as np
import pytest
import tensorflow as tf

from models.layers import (
    Convolution,
    EdgeConvolution,
    EdgeTransposedConvolution,
    TransposedConvolution,
)

MARGIN = 8
CASES = [
    (Convolution, EdgeConvolution, 3, 1),
    (Convolution, EdgeConvolution, 5, 1),
    (Convolution, EdgeConvolution, 5, 2),
    (TransposedConvolution, EdgeTransposedConvolution, 5, 2),
]


@pytest.mark.parametrize("plain, edge, kernel, stride", CASES)
@pytest.mark.parametrize("size", [(2, 2), (6, 4)])
def test_equals_the_inside_of_an_input_that_goes_on_at_its_edges(plain, edge, kernel, stride, size):
    values = np.random.default_rng(0).normal(size=[1, *size, 3]).astype(np.float32)
    larger = np.pad(values, [(0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)], mode="edge")
    layer, reference = edge(4, kernel, stride, "same"), plain(4, kernel, stride, "same")
    outputs = layer(values)
    reference.build(values.shape)
    reference.set_weights(layer.get_weights())
    cut = MARGIN // stride if plain is Convolution else MARGIN * stride
    expected = reference(larger)[:, cut:-cut, cut:-cut]
    assert outputs.shape == reference(values).shape
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_equal_latents_have_equal_outputs_at_the_border_and_inside():
    """What zeros break: a model trained on small patches would know borders alone."""
    constant = tf.ones([1, 6, 6, 3])
    assert np.ptp(EdgeTransposedConvolution(1, 5, 2, "same")(constant)[0, ::2, ::2]) < 1e-6
    assert np.ptp(TransposedConvolution(1, 5, 2, "same")(constant)[0, ::2, ::2]) > 1e-3
