"""Decodes an .rtc file with the run that coded it.

python scripts/decompress.py --run runs/NAME in.rtc out.png
"""

from __future__ import annotations

import argparse
import io
import pathlib

from assembly.user_errors import one_line_errors

LOSSLESS = (".png", ".tif", ".tiff", ".bmp", ".ppm")


def main() -> None:
    """Reads, decodes, writes."""
    parser = argparse.ArgumentParser(description="Decode an .rtc file to an image file.")
    parser.add_argument("--run", required=True, help="run directory, or its name under runs/")
    parser.add_argument("coded", help=".rtc file")
    parser.add_argument("output", help=f"image file to write ({', '.join(LOSSLESS)})")
    arguments = parser.parse_args()
    with one_line_errors():
        decompress(arguments.run, arguments.coded, arguments.output)


def decompress(run: str, coded: str, output: str) -> None:
    """Decodes the file ``coded`` into the file ``output``."""
    suffix = pathlib.Path(output).suffix.lower()
    if suffix not in LOSSLESS:
        raise ValueError(
            f"output={output!r} must end in one of {', '.join(LOSSLESS)}: "
            "a lossy format would alter what was decoded."
        )
    from PIL import Image

    from assembly.saved_run import load_run
    from codec import write_atomically

    data = pathlib.Path(coded).read_bytes()
    pixels = load_run(run).codec.decode(data)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=Image.registered_extensions()[suffix])
    write_atomically(output, buffer.getvalue())
    print(f"{output}: {pixels.shape[1]} x {pixels.shape[0]} pixels")


if __name__ == "__main__":
    main()
