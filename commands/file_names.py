"""What a command refuses before it reads: names that are not files, output over its input."""

from __future__ import annotations

import argparse
import os
import pathlib

from signals.files import check_output


def check_file_names(source: str, output: str) -> None:
    """Checks the input and the output of a command.

    Raises:
        ValueError: one of them is no file of its own.
    """
    check_is_file_name(source)
    check_is_file_name(output)
    check_output(output)
    if os.path.exists(source) and os.path.exists(output) and os.path.samefile(source, output):
        raise ValueError(f"output={output!r} is the input file {source!r}: name another.")


def folder(name: str) -> pathlib.Path:
    """Type of arguments that name a folder to write into, which may not exist yet."""
    path = pathlib.Path(name)
    there = next(each for each in (path, *path.parents, pathlib.Path()) if each.exists())
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f"{str(there)!r} is a file: name a folder.")
    return path


def check_is_file_name(name: str) -> None:
    """Raises ValueError for ``-``, which other programs take for a stream."""
    if name == "-":
        raise ValueError("'-': standard input and output are not supported: name a file.")
