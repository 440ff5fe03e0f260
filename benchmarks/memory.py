"""The benchmark's part for memory and long files: training, a large image, a long recording.

python benchmarks/memory.py image         # codes an image of 4000x3000 in this process
python benchmarks/memory.py audio 60      # codes 60 minutes of audio in this process
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
import time

import numpy as np
from timing import peak_memory
from untrained_models import codec_of, configured_model, photograph

TRAIN = pathlib.Path(__file__).resolve().parent.parent / "train.py"
RATE = 8000
"""Hz of the recording."""


def memory(steps: int) -> None:
    """Peak resident memory of the default job and of coding an image of 12 megapixels."""
    print("\npeak resident memory")
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            f"default job, {steps} steps": default_job(folder, f"steps={steps}"),
            "factorized, N = 128, M = 192: 4000x3000 image, float32": this_file("image"),
        }
        for label, command in commands.items():
            peak, seconds, output = peak_memory(command, folder)
            print(f"{label:56}{peak:6.2f} GiB in {seconds:.0f} s")
            if "image" in command:
                print(output)
            sys.stdout.flush()


def audio(minutes: int) -> None:
    """Peak memory and speed of coding a long recording with the default audio model."""
    peak, _, output = peak_memory(this_file("audio", str(minutes)))
    print(f"\nmodel=audio: {minutes} minutes of mono audio at 8 kHz, float32")
    print(f"peak resident memory {peak:.2f} GiB\n{output}", flush=True)


def default_job(folder: str, *overrides: str) -> list[str]:
    """The command of ``make train``, in a run directory that is thrown away."""
    run = pathlib.Path(folder) / "run"
    return [sys.executable, str(TRAIN), f"run={run}", "overwrite=true", *overrides]


def this_file(*arguments: str) -> list[str]:
    """Codes in a process of its own."""
    return [sys.executable, str(pathlib.Path(__file__).resolve()), *arguments]


def code_large_image() -> None:
    """Codes and decodes an image of 4000x3000 twice; the second time counts."""
    pixels = photograph(3000, 4000)
    model = configured_model("factorized", 128, 192, init_scale=1.0)
    codec = codec_of(model, pixels[:512, :768])
    for _ in range(2):
        encode, decode, size = _timed(lambda: codec.encode(pixels), codec.decode)
    print(f"    encode {encode:.1f} s, decode {decode:.1f} s, {size} bytes")


def code_long_audio(minutes: int) -> None:
    """Codes and decodes modulated noise."""
    from codec import AudioCodec
    from entropy import FactorizedPrior
    from models import Autoencoder
    from models.audio import AudioTransforms
    from processor.stack import set_random_seed
    from quantizers import ScalarQuantizer, UniformNoise

    rng = np.random.default_rng(0)
    seconds = np.arange(60 * minutes * RATE, dtype=np.float32) / RATE
    samples = (rng.standard_normal(len(seconds), np.float32) * np.sin(seconds) * 0.1)[:, np.newaxis]
    set_random_seed(0)
    model = Autoencoder(
        transforms=AudioTransforms(sample_rate=RATE),
        quantizer=ScalarQuantizer(decoder=UniformNoise(seed=0), rate=UniformNoise(seed=0)),
        entropy=FactorizedPrior,
    )
    model.freeze()
    codec = AudioCodec(model, "audio")
    codec.decode(codec.encode(samples[: 2 * RATE], RATE))  # Traces the graphs.
    encode, decode, size = _timed(lambda: codec.encode(samples, RATE), codec.decode)
    for name, took in (("encode", encode), ("decode", decode)):
        print(f"{name} {took:.1f} s, {60 * minutes / took:.0f} x real time")
    print(f"{size} bytes")


def _timed(encode, decode) -> tuple[float, float, int]:
    """Seconds to encode and to decode, and the bytes."""
    started = time.perf_counter()
    data = encode()
    middle = time.perf_counter()
    decode(data)
    return middle - started, time.perf_counter() - middle, len(data)


if __name__ == "__main__":
    from processor.process import set_process

    set_process()
    if sys.argv[1] == "image":
        code_large_image()
    else:
        code_long_audio(int(sys.argv[2]))
