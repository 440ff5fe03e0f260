"""Transforms over large images in bounded memory, with the result of a single pass.

A convolution sees a bounded neighbourhood, so a window that reaches far enough beyond a tile gives
that tile exactly. Outputs nearer to the window's inner edges have seen wrong zeros and are cut off.
At the image's border the window ends, too, and the zero padding is the right one.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

import tensorflow as tf

from models.transforms import Transforms

WHOLE = 8192
"""Latents (rows times columns) up to which a signal is not cut: full HD at stride 16."""


class Span(NamedTuple):
    """One tile along one axis, in latents: its window, and the part of the window to keep."""

    start: int
    stop: int
    keep_from: int
    keep_to: int


def spans(length: int, context: int, tile: int) -> list[Span]:
    """Cuts an axis into tiles of about equal size, with windows of one length.

    Args:
        length: latents along the axis.
        context: latents that a window reaches beyond its tile, except where the axis ends.
        tile: the most latents in a tile.

    Returns:
        Spans in order; the kept parts cover the axis.
    """
    number = -(-length // tile)
    size = -(-length // number)
    window = min(length, size + 2 * context)
    cuts = []
    for first in range(0, length, size):
        last = min(first + size, length)
        start = min(max(first - context, 0), length - window)
        cuts.append(Span(start, start + window, first - start, last - start))
    return cuts


def apply_in_tiles(
    transforms: Transforms,
    direction: str,
    inputs: tf.Tensor,
    *,
    whole: int = WHOLE,
    tile: Optional[int] = None,
) -> tf.Tensor:
    """Applies one direction of the transforms to an input of any size.

    The tiles depend on the input's size alone, so encoder and decoder agree.

    Args:
        transforms: the pair.
        direction: "analysis" or "synthesis".
        inputs: float32 ``[batch, height, width, channels]``, for that direction.
        whole: latents (rows times columns) up to which the input is not cut.
        tile: the most rows and columns of latents in a tile; None: the transforms'.

    Returns:
        What ``transforms.analysis(inputs)`` or ``transforms.synthesis(inputs)`` returns, up to
        rounding.

    Raises:
        ValueError: no such direction.
    """
    context_down, context_across = transforms.contexts
    tiles = transforms.tile if tile is None else (tile, tile)
    if direction == "analysis":
        apply, scale_in, scale_out = transforms.compiled_analysis, transforms.strides, (1, 1)
    elif direction == "synthesis":
        apply, scale_in, scale_out = transforms.compiled_synthesis, (1, 1), transforms.strides
    else:
        raise ValueError(f"direction={direction!r} must be analysis or synthesis.")
    rows, columns = inputs.shape[1] // scale_in[0], inputs.shape[2] // scale_in[1]
    if rows * columns <= whole:
        return apply(inputs)

    def cut(tensor, down, across, scale):
        down, across = ([edge * s for edge in axis] for axis, s in zip((down, across), scale))
        return tensor[:, down[0] : down[1], across[0] : across[1]]

    bands = []
    for down in spans(rows, context_down, tiles[0]):
        band = []
        for across in spans(columns, context_across, tiles[1]):
            outputs = apply(cut(inputs, down[:2], across[:2], scale_in))
            band.append(cut(outputs, down[2:], across[2:], scale_out))
        bands.append(tf.concat(band, axis=2))
    return tf.concat(bands, axis=1)
