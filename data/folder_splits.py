"""Which files of a folder are trained on and which are held out, whatever their medium."""

from __future__ import annotations

import hashlib
import os
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Union

from data.source import SPLITS, check_fraction, check_split

_LONGEST_NAME = 180
"""Bytes of the roots' names. Files of results have at most 255, with what is appended."""

Roots = Union[str, Sequence[str]]


class FoundFile(NamedTuple):
    """One file below a root."""

    path: str  # to open it
    relative: str  # to its root, with forward slashes: this is hashed
    name: str  # relative to what all roots have in common: unique, and can be printed


class FolderSplits:
    """The files under one or several folders, in splits.

    Files under ``validation_root`` and ``test_root`` are those splits. A split without a folder of
    its own is cut from ``root`` by a hash of each file's path relative to its root. A file's split
    thus does not depend on the other files, and adding files moves none from one split to another;
    in return, fractions are met only on average. A split that would be empty takes the file with
    the nearest hash, test before validation, as long as one is left to train on. "all" is every
    file under ``root``, whichever split it belongs to.

    Hidden files and folders (leading dot) are skipped. Linked files are read, linked folders below
    a root are not entered. A file and links to it are in one split, once. A file's name is its path
    relative to its root, or relative to what several roots have in common.

    Attributes:
        name: names of the roots' folders.
    """

    def __init__(
        self,
        *,
        suffixes: Sequence[str],
        kind: str,
        root: Roots,
        validation_root: Optional[Roots] = None,
        test_root: Optional[Roots] = None,
        validation_fraction: float = 0.1,
        test_fraction: float = 0.1,
    ):
        """Lists the files; reads none of them.

        Args:
            suffixes: of the files, in lower case.
            kind: what messages call a file: "image" or "recording".
            root: a folder or a list of folders.
            validation_root: folder or folders of the validation files.
            test_root: folder or folders of the test files.
            validation_fraction: share of ``root`` to validate on without ``validation_root``.
            test_fraction: share of ``root`` to test on without ``test_root``.

        Raises:
            FileNotFoundError: a folder does not exist.
            ValueError: a folder holds no such file, or an argument is out of range.
        """
        roots = _folders("root", root)
        self.name = _joined_names(roots)
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
        own = {split: _find_files(folders, suffixes, kind) for split, folders in own_roots.items()}
        _check_disjoint(own, kind)
        fractions = {
            "test": 0.0 if "test" in own else test_fraction,
            "validation": 0.0 if "validation" in own else validation_fraction,
        }
        files = _find_files(roots, suffixes, kind)
        held_out = {os.path.realpath(file.path) for split in own.values() for file in split}
        rest = [file for file in _each_once(files) if os.path.realpath(file.path) not in held_out]
        self._splits = {**_hash_split(rest, fractions), **own, "all": files}
        self._kind = kind
        self._origin = ", ".join(roots)

    def __getitem__(self, split: str) -> List[FoundFile]:
        """Files of "train", "validation", "test" or "all", ordered by name."""
        check_split(split)
        return self._splits[split]

    def name_of(self, split: str) -> str:
        """Name of a split's own folder, or else of the roots."""
        check_split(split)
        return self._own_names.get(split, self.name)

    @property
    def identity(self) -> str:
        """One line: how many files are trained and validated on, a digest of names and sizes."""
        counts, digest = [], hashlib.sha256()
        for split in ("train", "validation"):
            counts.append(f"{len(self._splits[split])} {split}")
            for file in self._splits[split]:
                digest.update(f"{split} {os.path.getsize(file.path)} {file.name}\n".encode())
        return f"{' and '.join(counts)} files, names and sizes {digest.hexdigest()[:16]}"

    def check_training(self) -> None:
        """Raises ValueError unless there is a file to train on."""
        if not self._splits["train"]:
            raise ValueError(f"{self._origin}: no {self._kind} is left to train on.")

    def describe(self) -> str:
        """Log text: the number of files in each split, and the folders."""
        counts = ", ".join(f"{len(self._splits[split])} {split}" for split in SPLITS)
        whole = len(self._splits["all"])
        return f"{self.name}: {counts} {self._kind}s ({whole} in all) from {self._origin}"


def _folders(argument: str, roots: Roots) -> List[str]:
    folders = [roots] if isinstance(roots, (str, os.PathLike)) else list(roots or ())
    folders = [os.path.expanduser(os.fspath(folder)) for folder in folders]
    if not folders:
        raise ValueError(f"{argument}={roots!r} must name at least one folder.")
    for folder in folders:
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"{argument}={folder!r} is not an existing folder.")
    return folders


def _joined_names(folders: List[str]) -> str:
    names = [_printable(os.path.basename(os.path.abspath(folder))) for folder in folders]
    joined = "+".join(filter(None, names)) or "folder"
    if len(joined.encode()) <= _LONGEST_NAME:
        return joined
    more = f"+{len(names) - 1}" if len(names) > 1 else ""
    return f"{joined[:30]}{more}-{hashlib.sha256(joined.encode()).hexdigest()[:8]}"


def _printable(name: str) -> str:
    r"""The name with bytes that are not UTF-8 written as ``\xe9``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _find_files(roots: List[str], suffixes: Sequence[str], kind: str) -> List[FoundFile]:
    """Files under all roots, each once, in the order of their names."""
    roots = [os.path.abspath(root) for root in roots]
    top = os.path.commonpath(roots)
    found: Dict[str, FoundFile] = {}
    for root in roots:
        paths = list(_paths(root, suffixes))
        if not paths:
            raise ValueError(f"{root} holds no {kind} ({', '.join(suffixes)}).")
        for path in paths:
            relative, name = (os.path.relpath(path, folder) for folder in (root, top))
            relative, name = (each.replace(os.sep, "/") for each in (relative, name))
            file = FoundFile(path, relative, _printable(name))
            found.setdefault(path, file)
    return sorted(found.values(), key=lambda file: file.name)


def _paths(root: str, suffixes: Sequence[str]) -> Iterator[str]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(tuple(suffixes)) and not name.startswith("."):
                yield os.path.join(folder, name)


def _each_once(files: List[FoundFile]) -> List[FoundFile]:
    """One of several files that are links to the same, or one and links to it, in order."""
    found: Dict[str, FoundFile] = {}
    # No link that is added later takes the place of its file.
    for file in sorted(files, key=lambda file: (os.path.islink(file.path), file.name)):
        found.setdefault(os.path.realpath(file.path), file)
    return sorted(found.values(), key=lambda file: file.name)


def _hash_split(files: List[FoundFile], fractions: Dict[str, float]) -> Dict[str, List[FoundFile]]:
    """Splits by the hash of each file's relative path; see `FolderSplits`."""
    ordered = sorted(files, key=_hash_share)
    splits: Dict[str, List[FoundFile]] = {}
    reached = 0.0
    for split in ("test", "validation"):
        reached += fractions[split]
        count = sum(_hash_share(file) < reached for file in ordered)
        count = min(max(count, int(fractions[split] > 0)), max(0, len(ordered) - 1))
        splits[split] = sorted(ordered[:count], key=lambda file: file.name)
        ordered = ordered[count:]
    splits["train"] = sorted(ordered, key=lambda file: file.name)
    return splits


def _hash_share(file: FoundFile) -> float:
    digest = hashlib.sha256(file.relative.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _check_disjoint(own: Dict[str, List[FoundFile]], kind: str) -> None:
    paths = [{os.path.realpath(file.path) for file in files} for files in own.values()]
    shared = set.intersection(*paths) if len(paths) == 2 else set()
    if shared:
        raise ValueError(f"validation_root and test_root share {kind}s, as {min(shared)}.")
