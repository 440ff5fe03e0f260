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

LOSSLESS = {
    "image": (".png", ".tif", ".tiff", ".bmp", ".ppm"),
    "audio": (".wav", ".flac"),
}
"""File types that alter nothing of what was decoded; sound has 16 bits."""

ANY = tuple(suffix for suffixes in LOSSLESS.values() for suffix in suffixes)


def main() -> None:
    """Reads, decodes, writes."""
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
    _check_suffix(output, suffix, ANY)

    from assembly.saved_run import load_run
    from codec import write_atomically

    data = pathlib.Path(coded).read_bytes()
    saved = load_run(run)
    _check_suffix(output, suffix, LOSSLESS[saved.medium])
    decoded = saved.codec.decode(data)
    write = _sound if saved.medium == "audio" else _picture
    written, size = write(decoded, suffix)
    write_atomically(output, written)
    print(f"{output}: {size}")


def _check_suffix(output: str, suffix: str, allowed: Sequence[str]) -> None:
    if suffix not in ANY:
        raise ValueError(
            f"output={output!r} must end in one of {', '.join(ANY)}: "
            "a lossy format would alter what was decoded."
        )
    if suffix not in allowed:
        raise ValueError(
            f"output={output!r} must end in one of {', '.join(allowed)} with this run, by what it "
            "was trained on."
        )


def _picture(pixels, suffix: str) -> Tuple[bytes, str]:
    """The file's bytes, and its size in words."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=Image.registered_extensions()[suffix])
    return buffer.getvalue(), f"{pixels.shape[1]} x {pixels.shape[0]} pixels"


def _sound(audio, suffix: str) -> Tuple[bytes, str]:
    """The same of sound."""
    import soundfile

    samples, rate = audio
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, samples, rate, format=suffix[1:].upper(), subtype="PCM_16")
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"{suffix} cannot hold {samples.shape[1]} channels at {rate} Hz: {error}"
        ) from error
    return buffer.getvalue(), f"{len(samples)} samples, {samples.shape[1]} channels, {rate} Hz"


if __name__ == "__main__":
    main()
