"""One quantizer over slices of the channels that are quantized one after the other.

A slice's mean may depend on the slices decoded before it, so all channels cannot be quantized at
once. The quantizer is still one object, with one step size, one schedule and one stream of noise,
but each slice is an array of its own: trellis paths and lattice blocks end with it, and dithers
differ between slices.
"""

from __future__ import annotations

from typing import Dict, Optional, Sequence, Union

import tensorflow as tf

from quantizers.base.contract import Indices, Integers, Quantizer
from quantizers.base.grids import JoinedLayout, Layout


class SlicedQuantizer(Quantizer):
    """The quantizer of all slices; ``for_slice`` returns that of one, which does the work."""

    def __init__(self, quantizer: Quantizer, sizes: Sequence[int]):
        """Takes the quantizer of all slices.

        Args:
            quantizer: not yet built.
            sizes: channels of each.
        """
        super().__init__(name=type(self).__name__)
        self._quantizer = quantizer
        self._sizes = tuple(sizes)

    def build(self, channels: int) -> None:
        """Builds the quantizer for one slice."""
        del channels
        self._quantizer.build(self._sizes[0])

    @property
    def alphabet(self) -> Union[Integers, Indices]:
        """The quantizer's."""
        return self._quantizer.alphabet

    @property
    def file_seed(self) -> Optional[int]:
        """The quantizer's; the slices' dithers follow from it."""
        return self._quantizer.file_seed

    @property
    def equal_cells(self) -> bool:
        """The quantizer's."""
        return self._quantizer.equal_cells

    @property
    def hard_from_step(self) -> Optional[int]:
        """The quantizer's."""
        return self._quantizer.hard_from_step

    @property
    def in_hard_phase(self) -> bool:
        """The quantizer's."""
        return self._quantizer.in_hard_phase

    def for_slice(self, number: int) -> Quantizer:
        """The quantizer of one slice, from 0."""
        return self._quantizer.for_slice(number)

    def layout(self, channels: int, seed: Optional[int] = None) -> Layout:
        """The slices' layouts, one after the other."""
        del channels
        slices = enumerate(self._sizes)
        return JoinedLayout([self.for_slice(k).layout(size, seed) for k, size in slices])

    @property
    def coding_settings(self) -> Dict[str, object]:
        """The quantizer's, its name, and the slices: their number if all are equal."""
        name = type(self._quantizer).__name__
        slices = len(self._sizes) if len(set(self._sizes)) == 1 else list(self._sizes)
        return {"quantizer": name, "slices": slices, **self._quantizer.coding_settings}

    @property
    def coding_variables(self) -> Sequence[tf.Variable]:
        """The quantizer's."""
        return self._quantizer.coding_variables

    def advance(self, step: int) -> None:
        """Brings all that depends on the training step to ``step``."""
        self._quantizer.advance(step)
