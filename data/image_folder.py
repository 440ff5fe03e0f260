"""Any folder of photographs: PNG, JPEG and WebP files of any size, looked for recursively."""

from __future__ import annotations

import functools
from typing import Iterator, List, Optional, Tuple

import tensorflow as tf

from data.folder_splits import FolderSplits, Roots
from data.patches import DecodedImages, PatchSampler, decode_all, decoded_bytes, reflected
from data.source import SPLITS, ImageSource, NamedImage, check_split
from signals.image_files import read_image, read_image_size

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")


class ImageFolder(ImageSource):
    """Photographs under one or several folders.

    Splits and names: see `FolderSplits`.
    """

    evaluation_split = "all"

    def __init__(
        self,
        *,
        root: Roots,
        patch_size: int = 128,
        validation_root: Optional[Roots] = None,
        test_root: Optional[Roots] = None,
        validation_fraction: float = 0.1,
        test_fraction: float = 0.1,
        cache_gib: float = 2.0,
    ):
        """Lists the files; reads none of them yet.

        Args:
            root: a folder or a list of folders.
            patch_size: side of a training patch in pixels.
            validation_root: folder or folders of the validation images.
            test_root: folder or folders of the test images.
            validation_fraction: share of ``root`` to validate on without ``validation_root``.
            test_fraction: share of ``root`` to test on without ``test_root``.
            cache_gib: keep decoded training images in memory up to this size.

        Raises:
            FileNotFoundError: a folder does not exist.
            ValueError: a folder holds no image, or an argument is out of range.
        """
        self._files = FolderSplits(
            root=root,
            validation_root=validation_root,
            test_root=test_root,
            validation_fraction=validation_fraction,
            test_fraction=test_fraction,
            suffixes=SUFFIXES,
            kind="image",
        )
        super().__init__(name=self._files.name, patch_size=patch_size, cache_gib=cache_gib)

    def name_of(self, split: str) -> str:
        """See `ImageSource`."""
        return self._files.own_names.get(split, super().name_of(split))

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `ImageSource`; in memory or decoded at every use, the batches are the same."""
        sampler = PatchSampler(
            patch_shape=self.training_shape, batch_size=batch_size, seed=seed, first_step=first_step
        )
        files = self._files.splits["train"]
        if not files:
            raise ValueError(f"{', '.join(self._files.roots)}: no image is left to train on.")
        if self._fits_memory:
            return sampler.from_memory(self._decoded)
        return sampler.from_files(
            lambda index: reflected(read_image(files[index].path), self.patch_size), len(files)
        )

    def images(self, split: str) -> Iterator[NamedImage]:
        """See `ImageSource`; ordered by name."""
        check_split(split)
        return (NamedImage(file.name, read_image(file.path)) for file in self._files.splits[split])

    def describe(self) -> str:
        """See `ImageSource`; reads the header of every training file."""
        counts = ", ".join(f"{len(self._files.splits[split])} {split}" for split in SPLITS)
        small = sum(min(size) < self.patch_size for size in self._sizes)
        kept = "decoded once and kept in memory" if self._fits_memory else "decoded at every use"
        return (
            f"{self.name}: {counts} images ({len(self._files.splits['all'])} in all) from "
            f"{', '.join(self._files.roots)}\n"
            f"training images: {kept} ({self._decoded_bytes / 2**20:.0f} MiB), {small} of "
            f"{len(self._sizes)} reflected up to {self.patch_size}x{self.patch_size}"
        )

    @functools.cached_property
    def _sizes(self) -> List[Tuple[int, int]]:
        return [read_image_size(file.path) for file in self._files.splits["train"]]

    @property
    def _decoded_bytes(self) -> int:
        return decoded_bytes(self._sizes, self.patch_size)

    @property
    def _fits_memory(self) -> bool:
        return self._decoded_bytes <= self._cache_bytes

    @functools.cached_property
    def _decoded(self) -> DecodedImages:
        files = self._files.splits["train"]
        return decode_all(lambda i: read_image(files[i].path), self._sizes, self.patch_size)
