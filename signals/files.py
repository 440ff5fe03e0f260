"""Opening files with one-line errors, and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import tempfile
from typing import BinaryIO, Iterator, List, Union

Path = Union[str, os.PathLike]


@contextlib.contextmanager
def open_binary(path: Path, kind: str) -> Iterator[BinaryIO]:
    """Opens a file of a kind, such as "image", for reading.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file cannot be opened.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below; only opening it is to be translated)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no {kind} file {os.fspath(path)}.") from None
    except OSError as error:
        raise ValueError(f"{os.fspath(path)} cannot be read: {error.strerror}.") from error
    with file:
        yield file


def matching_paths(pattern: Path) -> List[pathlib.Path]:
    """The paths that a shell-style pattern matches, in order.

    What exists is taken literally, so folders may have ``[``, ``*`` and ``?`` in their names.
    """
    path = pathlib.Path(pattern)
    if path.exists():
        return [path]
    folder = next(parent for parent in path.parents if parent.exists())
    literally = os.path.join(glob.escape(os.fspath(folder)), path.relative_to(folder))
    return [pathlib.Path(found) for found in sorted(glob.glob(literally) or glob.glob(str(path)))]


def write_atomically(path: Path, data: bytes) -> None:
    """Writes to a temporary file in the same folder, then renames it; creates missing folders."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of 255 bytes, the longest, leaves no room for what tells temporary files apart.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:32]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp creates private files; a result should be as readable as any other new file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
