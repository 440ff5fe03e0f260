"""Opening files with one-line errors, and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import glob
import io
import os
import pathlib
import secrets
import stat
from typing import Any, BinaryIO, Iterable, Iterator, List, Mapping, Tuple, Union

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


def check_output(path: Path) -> None:
    """Raises ValueError if there is something that a file cannot replace: a folder, a device."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"{os.fspath(path)} cannot be written: it is not a regular file.")


def write_atomically(path: Path, data: bytes) -> None:
    """Writes to a temporary file in the same folder, then renames it; creates missing folders.

    On Linux the file has no name before it is whole, so that a kill leaves nothing behind. A link
    stays one: the file that it leads to is replaced. The new file has the permissions of the old.

    Raises:
        ValueError: there is something that is not a regular file.
        OSError: the file cannot be written; it names ``path``.
    """
    check_output(path)
    try:
        _write(pathlib.Path(os.path.realpath(path)), data)
    except OSError as error:  # Of a temporary file, whose name says nothing to a user.
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes the columns of rows as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def _write(path: pathlib.Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of 255 bytes, the longest, leaves no room for what tells temporary files apart.
    temporary = path.parent / f".{path.name[:32]}.{secrets.token_hex(6)}"
    try:
        handle, is_named = _open_new(temporary)
        with os.fdopen(handle, "wb") as file:
            # There may be no old file, or a file system without permissions.
            with contextlib.suppress(OSError, AttributeError):  # Windows has no such function.
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(handle)
            if not is_named:
                # With a directory's descriptor, which the absolute path does not use, Python
                # follows the link to the file.
                os.link(f"/proc/self/fd/{handle}", temporary, src_dir_fd=handle)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _open_new(path: pathlib.Path) -> Tuple[int, bool]:
    """Opens a new file for writing; also returns whether it has its name already."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # Some network file systems have no such files.
            return os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o666), False
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), True
