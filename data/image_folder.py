"""Any folder of photographs: PNG, JPEG and WebP files of any size, searched recursively."""

from __future__ import annotations

import functools
from typing import Any, Iterator, List, Tuple

import tensorflow as tf

from data.folder_splits import FolderSplits, Roots
from data.patches import PatchSampler, decode_all, decoded_bytes, describe_sizes, reflected
from data.source import ImageSource
from signals.image_files import NamedImage, read_image, read_image_size

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")


class ImageFolder(ImageSource):
    """Photographs under one or several folders; for splits and names see `FolderSplits`."""

    evaluation_split = "all"

    def __init__(
        self, *, root: Roots, patch_size: int = 128, cache_gib: float = 2.0, **splits: Any
    ):
        """Lists the files; reads none of them yet.

        Args:
            root: a folder or a list of folders.
            patch_size: side of a training patch in pixels.
            cache_gib: keep decoded training images in memory up to this size.
            **splits: ``validation_root``, ``test_root``, ``validation_fraction`` and
                ``test_fraction``: see `FolderSplits`, also for errors.
        """
        self._files = FolderSplits(root=root, suffixes=SUFFIXES, kind="image", **splits)
        super().__init__(name=self._files.name, patch_size=patch_size, cache_gib=cache_gib)

    def name_of(self, split: str) -> str:
        """See `Source`."""
        return self._files.name_of(split)

    @property
    def files(self) -> str:
        """See `Source`."""
        return self._files.identity

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `Source`; cached or decoded at every use, the batches are the same."""
        sampler = PatchSampler(
            patch_shape=self.training_shape, batch_size=batch_size, seed=seed, first_step=first_step
        )
        self._files.check_training()
        if self._fits_memory:
            return sampler.from_memory(self._decoded)
        return sampler.from_files(
            lambda index: reflected(self._load(index), self.patch_size), len(self._files["train"])
        )

    def images(self, split: str) -> Iterator[NamedImage]:
        """See `ImageSource`; ordered by name."""
        return (NamedImage(file.name, read_image(file.path)) for file in self._files[split])

    def describe(self) -> str:
        """See `Source`; reads the header of every training file."""
        kept = "decoded once and kept in memory" if self._fits_memory else "decoded at every use"
        sizes = describe_sizes(self._sizes, self.patch_size)
        return f"{self._files.describe()}\ntraining images: {kept} {sizes}"

    @functools.cached_property
    def _sizes(self) -> List[Tuple[int, int]]:
        return [read_image_size(file.path) for file in self._files["train"]]

    @property
    def _fits_memory(self) -> bool:
        return decoded_bytes(self._sizes, self.patch_size) <= self._cache_bytes

    @functools.cached_property
    def _decoded(self):
        return decode_all(self._load, self._sizes, self.patch_size)

    def _load(self, index: int):
        return read_image(self._files["train"][index].path)
