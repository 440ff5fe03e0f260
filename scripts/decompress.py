"""Decodes an .rtc file with the run that coded it.

python scripts/decompress.py --run runs/NAME in.rtc out.png
python scripts/decompress.py --run runs/NAME in.rtc out.wav
"""

from __future__ import annotations

import argparse
import io
import pathlib
from typing import Sequence, Tuple

from assembly.user_errors import one_line_errors
from processor.process import set_process

LOSSLESS = {
    "image": (".png", ".tif", ".tiff", ".bmp", ".ppm"),
    "audio": (".wav", ".flac"),
}
"""Formats that keep what was decoded as it is; audio has 16 bits."""

ANY = tuple(suffix for suffixes in LOSSLESS.values() for suffix in suffixes)


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
    from signals.files import write_atomically

    data = pathlib.Path(coded).read_bytes()
    saved = load_run(run)
    _check(output, suffix, LOSSLESS[saved.medium], f"this run codes {saved.medium}")
    write = _audio if saved.medium == "audio" else _image
    written, size = write(saved.codec.decode(data), suffix)
    write_atomically(output, written)
    print(f"{output}: {size}")


def _check(output: str, suffix: str, allowed: Sequence[str], reason: str) -> None:
    if suffix not in allowed:
        raise ValueError(f"output={output!r} must end in one of {', '.join(allowed)}: {reason}.")


def _image(pixels, suffix: str) -> Tuple[bytes, str]:
    """The bytes of the file, and its size for the message."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=Image.registered_extensions()[suffix])
    return buffer.getvalue(), f"{pixels.shape[1]} x {pixels.shape[0]} pixels"


def _audio(audio, suffix: str) -> Tuple[bytes, str]:
    """As ``_image``, for audio."""
    import soundfile

    samples, rate = audio
    size = f"{len(samples)} samples, {samples.shape[1]} channels, {rate} Hz"
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, samples, rate, format=suffix[1:].upper(), subtype="PCM_16")
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{suffix} cannot hold {size}: {error}") from error
    return buffer.getvalue(), size


if __name__ == "__main__":
    set_process()
    main()
