"""Prints what an .rtc file says of itself: ``rtc info``. No model is loaded."""

from __future__ import annotations

import argparse

from assembly.pretrained import run_of
from codec.container import CodedAudio, CodedImage
from codec.file_header import FileHeader, read_header
from commands.file_names import check_is_file_name
from signals.files import open_binary

ABOUT = "Show what an .rtc file holds and which model coded it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("coded", help=".rtc file")


def run(arguments: argparse.Namespace) -> None:
    """Prints one line for each quantity.

    Raises:
        ValueError: the file cannot be read, is damaged, or is no .rtc file.
    """
    check_is_file_name(arguments.coded)
    with open_binary(arguments.coded, ".rtc") as file:
        data = file.read()
    header = read_header(data)
    quality = header.coded.quality
    lines = {
        "medium": header.medium,
        "size": _size(header.coded),
        "bytes": f"{len(data)}, {len(header.coded.payload)} of them payload",
        "rate": _rate(header.coded, 8 * len(data)),
        "quality": None if quality is None else f"{quality / 100:g}",
        "format version": header.version,
        "fingerprint": header.fingerprint.hex(),
        "model": _model(header),
    }
    for name, value in lines.items():
        if value is not None:
            print(f"{name + ':':16}{value}")


def _size(coded: CodedImage | CodedAudio) -> str:
    if isinstance(coded, CodedImage):
        return f"{coded.width} x {coded.height} pixels"
    seconds = coded.length / coded.sample_rate
    channels = "1 channel" if coded.channels == 1 else f"{coded.channels} channels"
    return f"{seconds:.3f} s, {coded.length} samples, {channels}, {coded.sample_rate} Hz"


def _rate(coded: CodedImage | CodedAudio, bits: int) -> str:
    if isinstance(coded, CodedImage):
        return f"{bits / (coded.height * coded.width):.4f} bpp"
    return f"{bits / (coded.length / coded.sample_rate) / 1000:.3f} kbps"


def _model(header: FileHeader) -> str:
    return run_of(header.fingerprint) or "none of the pretrained ones: decoding needs --run"
