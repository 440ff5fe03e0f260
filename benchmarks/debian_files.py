"""Files inside Debian packages, which are read in place: nothing is installed or unpacked."""

from __future__ import annotations

import io
import struct
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = 2  # flag of a node; the other flags tell how a file is compressed


class Member(NamedTuple):
    """A file of a package: its path there, after `!` a path inside a Qt resource file."""

    package: str
    version: str
    path: str


def read_members(folder: Path, members: Iterable[Member]) -> Iterator[tuple[Member, bytes]]:
    """The content of each member, package by package; ``folder`` holds the packages.

    Raises:
        ValueError: a package is missing, or a package lacks a file.
    """
    packages: dict[tuple[str, str], list[Member]] = {}
    for member in members:
        packages.setdefault((member.package, member.version), []).append(member)
    for (package, version), wanted in sorted(packages.items()):
        names = {_file(member) for member in wanted}
        files = package_files(find_package(folder, package, version), names.__contains__)
        for member in wanted:
            content = files.get(_file(member))
            inner = member.path.partition("!")[2]
            if content is not None and inner:
                content = _qt_resource(content).get(inner)
            if content is None:
                raise ValueError(f"{package} {version} has no file {member.path}")
            yield member, content


def _file(member: Member) -> str:
    return member.path.partition("!")[0]


def find_package(folder: Path, package: str, version: str) -> Path:
    """The package in ``folder``.

    Raises:
        ValueError: it is not there.
    """
    found = sorted(folder.glob(f"{package}_{version.replace(':', '%3a')}_*.deb"))
    if not found:
        raise ValueError(
            f"{folder} has no package {package} {version}: "
            f"'apt-get download {package}={version}' fetches it where apt knows that version, "
            "https://snapshot.debian.org keeps every version"
        )
    return found[0]


def package_files(deb: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The regular files whose path (without a leading slash) is wanted.

    Raises:
        ValueError: the package is damaged.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(deb)]
    archive = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if archive.returncode:
        raise ValueError(f"{deb} is damaged: dpkg-deb ended with status {archive.returncode}")
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as entries:
        for entry in entries:
            path = entry.name.removeprefix("./")
            if entry.isfile() and wanted(path):
                files[path] = entries.extractfile(entry).read()
    return files


def _qt_resource(content: bytes) -> dict[str, bytes]:
    """Files that a Qt resource file (``.rcc``) keeps uncompressed.

    The layout: https://doc.qt.io/qt-6/resources.html; numbers are big-endian. A tree of nodes
    refers to names (length, hash, UTF-16) and to data (length, bytes).
    """
    magic, version, tree, data, names = struct.unpack_from(">4s4I", content)
    if magic != b"qres":
        raise ValueError("a Qt resource file begins with 'qres'")
    node_size = 14 if version == 1 else 22
    files = {}

    def walk(node: int, folder: str) -> None:
        at = tree + node_size * node
        name_at, flags = struct.unpack_from(">IH", content, at)
        name = ""
        if node:
            (length,) = struct.unpack_from(">H", content, names + name_at)
            start = names + name_at + 6
            name = folder + content[start : start + 2 * length].decode("utf-16-be")
        if flags & FOLDER:
            count, first = struct.unpack_from(">II", content, at + 6)
            for child in range(first, first + count):
                walk(child, f"{name}/" if name else "")
        elif not flags & ~FOLDER:
            (start,) = struct.unpack_from(">I", content, at + 10)
            (size,) = struct.unpack_from(">I", content, data + start)
            files[name] = content[data + start + 4 : data + start + 4 + size]

    walk(0, "")
    return files
