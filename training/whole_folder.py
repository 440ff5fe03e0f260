"""Folders that appear whole or not at all, and that show whether a disk has damaged them since."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
from typing import Callable, Dict, Optional

SUMS = "SHA256SUMS"
"""Checksums of the other files, in the format of ``sha256sum``."""


def write_whole(folder: pathlib.Path, write: Callable[[pathlib.Path], None]) -> None:
    """Lets ``write`` fill a temporary folder, which then takes the place of ``folder``.

    One process at a time may do so. Everything is on the disk before the name is, so that a loss
    of power leaves no half of it. The folder that was there is set aside until the new one has its
    name; `restore_set_aside` gives it back after a kill in between.

    Raises:
        FileNotFoundError: the folder above does not exist.
        OSError: the disk is full, or cannot be written to.
    """
    restore_set_aside(folder)
    for left_by_a_kill in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left_by_a_kill, ignore_errors=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    temporary.mkdir()
    try:
        write(temporary)
        sums = "".join(f"{_sha256(path)}  {path.name}\n" for path in sorted(temporary.iterdir()))
        (temporary / SUMS).write_text(sums)
        for path in (*temporary.iterdir(), temporary):
            _sync(path)
        if folder.exists():
            os.replace(folder, _aside(folder))
        os.replace(temporary, folder)
        _sync(folder.parent)
    except BaseException:
        restore_set_aside(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    shutil.rmtree(_aside(folder), ignore_errors=True)


def restore_set_aside(folder: pathlib.Path) -> None:
    """Gives a folder its name back that a kill of `write_whole` left without."""
    if _aside(folder).exists() and not folder.exists():
        os.replace(_aside(folder), folder)


def _aside(folder: pathlib.Path) -> pathlib.Path:
    return folder.with_name(f".{folder.name}.old")


def damage(folder: pathlib.Path) -> Optional[str]:
    """What is wrong with a folder that has checksums, in a few words; None if it is whole."""
    try:
        sums = _read_sums(folder / SUMS)
    except ValueError:
        return f"{SUMS} is damaged"
    for name, expected in sums.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        try:
            if _sha256(path) != expected:
                return f"{name} does not match its checksum"
        except OSError as error:
            return f"{name}: {error.strerror}"
    return None


def has_sums(folder: pathlib.Path) -> bool:
    """Whether there are checksums: folders of older runs have none."""
    return (folder / SUMS).is_file()


def _read_sums(path: pathlib.Path) -> Dict[str, str]:
    lines = [line.split("  ", 1) for line in path.read_text("utf-8").splitlines()]
    sums = {line[1]: line[0] for line in lines if len(line) == 2 and len(line[0]) == 64}
    if not sums or len(sums) != len(lines) or any(os.sep in name for name in sums):
        raise ValueError(f"{path} is damaged.")
    return sums


def _sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(2**20), b""):
            digest.update(block)
    return digest.hexdigest()


def _sync(path: pathlib.Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        if not path.is_dir():  # Some network file systems cannot do this with a folder.
            raise
    finally:
        os.close(handle)
