"""Training, validation and test speech from telephone prompts in Debian packages (CC BY, CC BY-SA).

    python benchmarks/free_speech.py DEBS OUTPUT

``free_speech.csv`` names the voices. DEBS is a folder with their packages, from
``apt-get download PACKAGE=VERSION``. OUTPUT receives WAV files (8 kHz, mono, 16 bits, as the
packages hold them) in ``train``, ``val`` and ``test``. The test voices, a man and a woman,
and their language do not occur in training. Prompts shorter than a second, silence and tones are
left out. Every `VALIDATE_EVERY`-th prompt of a training voice is used for validation.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from debian_files import find_package, package_files

LIST = Path(__file__).with_suffix(".csv")
SAMPLE_RATE = 8000
VALIDATE_EVERY = 12
NOT_SPEECH = ("silence/", "beep", "tone", "ascending", "descending")


class Voice(NamedTuple):
    """One speaker in one language, with the licence that the package's ``copyright`` states."""

    split: str
    package: str
    version: str
    folder: str  # below usr/share/asterisk/sounds/
    speaker: str
    license: str


def main() -> None:
    """Writes the three folders and prints their counts and minutes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("debs", type=Path, help="folder of the downloaded packages")
    parser.add_argument("output", type=Path, help="folder that receives train, val and test")
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {"train": [], "val": [], "test": []}
    with LIST.open(encoding="utf-8", newline="") as file:
        voices = [Voice(**row) for row in csv.DictReader(file)]
    try:
        for voice in voices:
            for number, (name, content, duration) in enumerate(_prompts(arguments.debs, voice)):
                held_out = voice.split == "train" and number % VALIDATE_EVERY == 0
                split = "val" if held_out else voice.split
                folder = arguments.output / split / voice.folder
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{name.replace('/', '-')}").write_bytes(content)
                seconds[split].append(duration)
    except ValueError as error:
        parser.error(str(error))
    counts = (f"{key}: {len(all_)} ({sum(all_) / 60:.1f} min)" for key, all_ in seconds.items())
    print(", ".join(counts))


def _prompts(debs: Path, voice: Voice) -> list[tuple[str, bytes, float]]:
    """Name, content and seconds of a voice's sentences, ordered by name."""
    root = f"usr/share/asterisk/sounds/{voice.folder}/"
    deb = find_package(debs, voice.package, voice.version)
    files = package_files(deb, lambda path: path.startswith(root) and path.endswith(".wav"))
    prompts = []
    for path, content in sorted(files.items()):
        name = path.removeprefix(root)
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
        if rate != SAMPLE_RATE or samples.shape[1] != 1:
            raise ValueError(f"{path} is not {SAMPLE_RATE} Hz, mono")
        silent = np.abs(samples).max(initial=0) < 0.05
        if len(samples) >= SAMPLE_RATE and not silent and not name.startswith(NOT_SPEECH):
            prompts.append((name, content, len(samples) / rate))
    return prompts


if __name__ == "__main__":
    main()
