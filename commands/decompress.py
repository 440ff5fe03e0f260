"""Decodes an .rtc file: ``rtc decompress`` and ``scripts/decompress.py``."""

from __future__ import annotations

import argparse
import pathlib
from typing import Sequence

from commands.file_names import check_file_names
from signals.audio_files import LOSSLESS_AUDIO
from signals.files import open_binary, write_atomically
from signals.image_files import LOSSLESS_IMAGES

ABOUT = "Decode an .rtc file to an image or audio file."

LOSSLESS = (*LOSSLESS_IMAGES, *LOSSLESS_AUDIO)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--run",
        help="run directory, its name under runs/, or pretrained:NAME "
        "(default: the pretrained model that coded the file)",
    )
    parser.add_argument("coded", help=".rtc file")
    parser.add_argument("output", help=f"file to write ({', '.join(LOSSLESS)})")
    parser.add_argument(
        "--max-size",
        type=int,
        metavar="N",
        help="most pixels, or samples of all channels, that the file may decode to "
        "(default: 2^27 pixels, 2^28 samples)",
    )
    parser.add_argument(
        "--config-dir", metavar="FOLDER", help="configuration folder of your own that the run used"
    )


def run(arguments: argparse.Namespace) -> None:
    """Decodes the file ``arguments.coded`` into the file ``arguments.output``.

    Raises:
        ValueError: an argument is wrong, or the run cannot decode the file.
    """
    output, max_size = arguments.output, arguments.max_size
    check_file_names(arguments.coded, output)
    if max_size is not None and max_size < 1:
        raise ValueError(f"--max-size {max_size} must be at least 1.")
    suffix = pathlib.Path(output).suffix.lower()
    _check(output, suffix, LOSSLESS, "a lossy format would change what was decoded")
    with open_binary(arguments.coded, ".rtc") as file:
        data = file.read()
    named = coding_run(data) if arguments.run is None else arguments.run

    from assembly.saved_run import load_run
    from assembly.trust import targets_named
    from evaluation.media import MEDIA

    saved = load_run(named, trusted=targets_named(arguments.config_dir))
    medium = MEDIA[saved.medium]
    _check(output, suffix, medium.lossless, f"this run codes {medium.content}")
    decoded = saved.codec.decode(data, **({} if max_size is None else {"max_size": max_size}))
    write_atomically(output, medium.write(decoded, suffix))
    print(f"{output}: {medium.size_text(medium.size(medium.signal(decoded)))}")


def coding_run(data: bytes) -> str:
    """The pretrained model that coded a file.

    Raises:
        ValueError: it is not an .rtc file, or none of them coded it.
    """
    from assembly.pretrained import run_of
    from codec.file_header import read_header

    fingerprint = read_header(data).fingerprint
    found = run_of(fingerprint)
    if found is None:
        raise ValueError(
            f"no pretrained model has the file's fingerprint {fingerprint.hex()}: name the run "
            "that coded it with --run."
        )
    return found


def _check(output: str, suffix: str, allowed: Sequence[str], reason: str) -> None:
    if suffix not in allowed:
        raise ValueError(f"output={output!r} must end in one of {', '.join(allowed)}: {reason}.")
