"""Any folder of photographs: PNG, JPEG and WebP files of any size, looked for recursively."""

from __future__ import annotations

import functools
import hashlib
import os
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

import tensorflow as tf

from data.image_files import read_image, read_image_size
from data.patches import DecodedImages, PatchSampler, decode_all, decoded_bytes, reflected
from data.source import SPLITS, ImageSource, NamedImage, check_fraction, check_split

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")

Roots = Union[str, Sequence[str]]


class _ImageFile(NamedTuple):
    path: str
    relative: str  # to its root, with forward slashes: what is hashed
    name: str  # relative to what all roots have in common: unique


class ImageFolder(ImageSource):
    """Photographs under one or several folders.

    Splits: files under ``validation_root`` and ``test_root`` are those splits. A split without a
    folder of its own is cut from ``root`` by a hash of each file's path relative to its root. A
    file's split thus does not depend on the other files: adding some moves none from one split to
    another. The price is that fractions are met on average only. A split that would be empty takes
    the file whose hash comes nearest, first to test and then to validate, while one is left to
    train on. "all" is every file under ``root``, wherever else it belongs.

    Hidden files and folders (leading dot) are passed over. Linked files are read, linked folders
    below a root are not entered. An image's name is its path relative to its root, or relative to
    what several roots have in common.
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
        self._roots = _folders("root", root)
        super().__init__(
            name=_joined_names(self._roots), patch_size=patch_size, cache_gib=cache_gib
        )
        check_fraction("validation_fraction", validation_fraction)
        check_fraction("test_fraction", test_fraction)
        if validation_fraction + test_fraction >= 1:
            raise ValueError(
                f"validation_fraction={validation_fraction} and test_fraction={test_fraction} "
                "must add up to less than 1."
            )
        own_roots = {
            split: _folders(f"{split}_root", folders)
            for split, folders in (("validation", validation_root), ("test", test_root))
            if folders is not None
        }
        self._own_names = {split: _joined_names(folders) for split, folders in own_roots.items()}
        own = {split: _find_files(folders) for split, folders in own_roots.items()}
        _check_disjoint(own)
        fractions = {
            "test": 0.0 if "test" in own else test_fraction,
            "validation": 0.0 if "validation" in own else validation_fraction,
        }
        files = _find_files(self._roots)
        held_out = {os.path.realpath(file.path) for split in own.values() for file in split}
        rest = [file for file in files if os.path.realpath(file.path) not in held_out]
        self._splits: Dict[str, List[_ImageFile]] = {**_hash_split(rest, fractions), **own}
        self._splits["all"] = files

    def name_of(self, split: str) -> str:
        """See `ImageSource`."""
        return self._own_names.get(split, super().name_of(split))

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `ImageSource`; in memory or decoded at every use, the batches are the same."""
        sampler = PatchSampler(
            patch_shape=self.training_shape, batch_size=batch_size, seed=seed, first_step=first_step
        )
        files = self._splits["train"]
        if not files:
            raise ValueError(f"{', '.join(self._roots)}: no image is left to train on.")
        if self._fits_memory:
            return sampler.from_memory(self._decoded)
        return sampler.from_files(
            lambda index: reflected(read_image(files[index].path), self.patch_size), len(files)
        )

    def images(self, split: str) -> Iterator[NamedImage]:
        """See `ImageSource`; ordered by name."""
        check_split(split)
        return (NamedImage(file.name, read_image(file.path)) for file in self._splits[split])

    def describe(self) -> str:
        """See `ImageSource`; reads the header of every training file."""
        counts = ", ".join(f"{len(self._splits[split])} {split}" for split in SPLITS)
        small = sum(min(size) < self.patch_size for size in self._sizes)
        kept = "decoded once and kept in memory" if self._fits_memory else "decoded at every use"
        return (
            f"{self.name}: {counts} images ({len(self._splits['all'])} in all) from "
            f"{', '.join(self._roots)}\n"
            f"training images: {kept} ({self._decoded_bytes / 2**20:.0f} MiB), {small} of "
            f"{len(self._sizes)} reflected up to {self.patch_size}x{self.patch_size}"
        )

    @functools.cached_property
    def _sizes(self) -> List[Tuple[int, int]]:
        return [read_image_size(file.path) for file in self._splits["train"]]

    @property
    def _decoded_bytes(self) -> int:
        return decoded_bytes(self._sizes, self.patch_size)

    @property
    def _fits_memory(self) -> bool:
        return self._decoded_bytes <= self._cache_bytes

    @functools.cached_property
    def _decoded(self) -> DecodedImages:
        files = self._splits["train"]
        return decode_all(lambda i: read_image(files[i].path), self._sizes, self.patch_size)


def _folders(argument: str, roots: Roots) -> List[str]:
    folders = [roots] if isinstance(roots, (str, os.PathLike)) else list(roots)
    folders = [os.path.expanduser(os.fspath(folder)) for folder in folders]
    if not folders:
        raise ValueError(f"{argument}={roots!r} must name at least one folder.")
    for folder in folders:
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"{argument}={folder!r} is not an existing folder.")
    return folders


def _joined_names(folders: List[str]) -> str:
    names = [os.path.basename(os.path.abspath(folder)) for folder in folders]
    return "+".join(filter(None, names)) or "folder"


def _find_files(roots: List[str]) -> List[_ImageFile]:
    """Image files under all roots, each once, in the order of their names."""
    roots = [os.path.abspath(root) for root in roots]
    top = os.path.commonpath(roots)
    found: Dict[str, _ImageFile] = {}
    for root in roots:
        paths = list(_image_paths(root))
        if not paths:
            raise ValueError(f"{root} holds no image ({', '.join(SUFFIXES)}).")
        for path in paths:
            relative, name = (os.path.relpath(path, folder) for folder in (root, top))
            file = _ImageFile(path, relative.replace(os.sep, "/"), name.replace(os.sep, "/"))
            found.setdefault(path, file)
    return sorted(found.values(), key=lambda file: file.name)


def _image_paths(root: str) -> Iterator[str]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(folder, name)


def _hash_split(
    files: List[_ImageFile], fractions: Dict[str, float]
) -> Dict[str, List[_ImageFile]]:
    """Splits by the hash of each file's relative path; see `ImageFolder`."""
    ordered = sorted(files, key=_hash_share)
    splits: Dict[str, List[_ImageFile]] = {}
    reached = 0.0
    for split in ("test", "validation"):
        reached += fractions[split]
        count = sum(_hash_share(file) < reached for file in ordered)
        count = min(max(count, int(fractions[split] > 0)), max(0, len(ordered) - 1))
        splits[split] = sorted(ordered[:count], key=lambda file: file.name)
        ordered = ordered[count:]
    splits["train"] = sorted(ordered, key=lambda file: file.name)
    return splits


def _hash_share(file: _ImageFile) -> float:
    digest = hashlib.sha256(file.relative.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _check_disjoint(own: Dict[str, List[_ImageFile]]) -> None:
    paths = [{os.path.realpath(file.path) for file in files} for files in own.values()]
    shared = set.intersection(*paths) if len(paths) == 2 else set()
    if shared:
        raise ValueError(f"validation_root and test_root share images, as {min(shared)}.")
