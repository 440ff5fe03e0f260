"""The console command ``rtc``, and the scripts that are one of its subcommands."""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from processor.process import set_process

set_process()  # Before the imports that take long.

from assembly.user_errors import one_line_errors
from commands import compress, decompress, info

COMMANDS = {"compress": compress, "decompress": decompress, "info": info}


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Entry point of ``rtc``; ``arguments`` replace those of the process."""
    parsed = command_line().parse_args(arguments)
    with one_line_errors():
        COMMANDS[parsed.command].run(parsed)


def command_line() -> argparse.ArgumentParser:
    """The parser of ``rtc``."""
    parser = argparse.ArgumentParser(
        prog="rtc", description="Compress and decompress images and audio with learned codecs."
    )
    names = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.add_arguments(names.add_parser(name, help=command.ABOUT, description=command.ABOUT))
    return parser


def script(name: str) -> None:
    """Entry point of ``scripts/<name>.py``."""
    command = COMMANDS[name]
    parser = argparse.ArgumentParser(description=command.ABOUT)
    command.add_arguments(parser)
    with one_line_errors():
        command.run(parser.parse_args())
