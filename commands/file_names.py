"""What a command refuses before it reads: names that are no files, output over its input."""

from __future__ import annotations

import os

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


def check_is_file_name(name: str) -> None:
    """Raises ValueError for ``-``, which other programs take for a stream."""
    if name == "-":
        raise ValueError("'-': standard input and output are not supported: name a file.")
