"""Decodes an .rtc file with the run that coded it.

python scripts/decompress.py --run runs/NAME in.rtc out.png
python scripts/decompress.py --run runs/NAME in.rtc out.wav
"""

from __future__ import annotations

import argparse
import pathlib
from typing import Sequence

from assembly.user_errors import one_line_errors
from processor.process import set_process
from signals.audio_files import LOSSLESS_AUDIO, encode_audio
from signals.files import write_atomically
from signals.image_files import LOSSLESS_IMAGES, encode_image

LOSSLESS = {"image": LOSSLESS_IMAGES, "audio": LOSSLESS_AUDIO}
ANY = (*LOSSLESS_IMAGES, *LOSSLESS_AUDIO)


def main() -> None:
    """Reads, decodes and writes the file."""
    parser = argparse.ArgumentParser(description="Decode an .rtc file to an image or audio file.")
    parser.add_argument("--run", required=True, help="run directory, or its name under runs/")
    parser.add_argument("coded", help=".rtc file")
    parser.add_argument("output", help=f"file to write ({', '.join(ANY)})")
    arguments = parser.parse_args()
    with one_line_errors():
        decompress(arguments.run, arguments.coded, arguments.output)


def decompress(run: str, coded: str, output: str) -> None:
    """Decodes the file ``coded`` into the file ``output``."""
    suffix = pathlib.Path(output).suffix.lower()
    _check(output, suffix, ANY, "a lossy format would change what was decoded")

    from assembly.saved_run import load_run

    data = pathlib.Path(coded).read_bytes()
    saved = load_run(run)
    _check(output, suffix, LOSSLESS[saved.medium], f"this run codes {saved.medium}")
    decoded = saved.codec.decode(data)
    if saved.medium == "image":
        write_atomically(output, encode_image(decoded, suffix))
        size = f"{decoded.shape[1]} x {decoded.shape[0]} pixels"
    else:
        samples, rate = decoded
        write_atomically(output, encode_audio(samples, rate, suffix))
        size = f"{len(samples)} samples, {samples.shape[1]} channels, {rate} Hz"
    print(f"{output}: {size}")


def _check(output: str, suffix: str, allowed: Sequence[str], reason: str) -> None:
    if suffix not in allowed:
        raise ValueError(f"output={output!r} must end in one of {', '.join(allowed)}: {reason}.")


if __name__ == "__main__":
    set_process()
    main()
