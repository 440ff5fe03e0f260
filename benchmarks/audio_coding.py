"""The benchmark's part for sound: memory and speed of coding a long recording."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
from measuring import PEAK_OF_CHILD


def audio(script: str, minutes: int) -> None:
    """Peak memory and real-time factors of coding long sound with the default audio model.

    Args:
        script: that runs ``code_long_sound`` in a process of its own.
        minutes: of sound.
    """
    command = [sys.executable, script, "--code-long-sound", "--minutes", str(minutes)]
    result = subprocess.run(
        [sys.executable, "-c", PEAK_OF_CHILD, *command], capture_output=True, text=True
    )
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
    *output, peak = result.stdout.splitlines()
    print(f"\nmodel=audio: {minutes} minutes of mono sound at 8 kHz, float32")
    print(f"peak resident memory {int(peak) / 2**20:.2f} GiB")  # From Linux' KiB.
    print("\n".join(output))
    sys.stdout.flush()


def code_long_sound(minutes: int) -> None:
    """Codes and decodes sound of modulated noise, in a process of its own."""
    import tensorflow as tf

    from codec import AudioCodec
    from entropy import FactorizedPrior
    from models import Autoencoder
    from models.audio import AudioTransforms
    from quantizers import ScalarQuantizer, UniformNoise

    rng, rate = np.random.default_rng(0), 8000
    seconds = np.arange(60 * minutes * rate, dtype=np.float32) / rate
    samples = (rng.standard_normal(len(seconds), np.float32) * np.sin(seconds) * 0.1)[:, np.newaxis]
    tf.keras.utils.set_random_seed(0)
    model = Autoencoder(
        transforms=AudioTransforms(sample_rate=rate),
        quantizer=ScalarQuantizer(decoder=UniformNoise(seed=0), rate=UniformNoise(seed=0)),
        entropy=FactorizedPrior,
    )
    model.freeze()
    codec = AudioCodec(model, "audio")
    codec.decode(codec.encode(samples[: 2 * rate], rate))  # Traces the graphs.
    started = time.perf_counter()
    data = codec.encode(samples, rate)
    middle = time.perf_counter()
    decoded = codec.decode(data)
    ended = time.perf_counter()
    assert decoded.samples.shape == samples.shape
    for name, took in (("encode", middle - started), ("decode", ended - middle)):
        print(f"{name} {took:.1f} s, {60 * minutes / took:.0f} x real time")
    print(f"{len(data)} bytes")
