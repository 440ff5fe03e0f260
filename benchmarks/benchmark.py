"""Measures speed and memory against TFC's published script and against the machine itself.

python benchmarks/benchmark.py                          # all parts, 15 minutes on two cores
python benchmarks/benchmark.py --parts train --models hyperprior --rounds 20

Whatever is compared runs in turn, round after round; figures are medians, so that other work on the
machine weighs on all alike. Training steps of TFC's script run in processes of their own, one as
published, one with the process settings of Roundtrip; coding is compared within one process, which
has these settings. bfloat16 is measured where the processor multiplies it natively: emulated, a
step takes minutes.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from audio_coding import audio, code_long_sound
from hyper_coding import code_hyper
from measuring import PEAK_OF_CHILD, in_turn, photograph
from peers import CONVOLUTIONS, FILTERS
from train_steps import train

PARTS = ("train", "code", "startup", "memory", "audio")
CODED_LATENTS = {"bls2017": FILTERS, "factorized": 192}
ROOT = pathlib.Path(__file__).resolve().parent.parent


def main() -> None:
    """Runs the parts asked for and prints a table each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--parts", default=",".join(PARTS), help=f"comma-separated: {', '.join(PARTS)}"
    )
    parser.add_argument(
        "--models", default=",".join(CONVOLUTIONS), help=f"to train, of {', '.join(CONVOLUTIONS)}"
    )
    parser.add_argument("--rounds", type=int, default=8, help="measurements of each variant")
    parser.add_argument(
        "--steps", type=int, default=300, help="length of the default job for its memory"
    )
    parser.add_argument("--code-large-image", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=int, default=60, help="of the sound that is coded")
    parser.add_argument("--code-long-sound", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--precisions", help="comma-separated: float32, bfloat16 (default: what the machine has)"
    )
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    models = arguments.models.split(",")
    for option, words, choices in [("parts", parts, PARTS), ("models", models, CONVOLUTIONS)]:
        if not set(words) <= set(choices):
            parser.error(f"--{option}={','.join(words)}: must be among {', '.join(choices)}.")
    if arguments.rounds < 1 or arguments.steps < 1:
        parser.error("--rounds and --steps must be at least 1.")
    precisions = precisions_of(arguments.precisions)
    if not set(precisions) <= {"float32", "bfloat16"}:
        parser.error(f"--precisions={arguments.precisions}: must be among float32, bfloat16.")
    if arguments.code_large_image:
        code_large_image()
        return
    if arguments.code_long_sound:
        code_long_sound(arguments.minutes)
        return
    for part in parts:
        if part == "train":
            for name in models:
                train(name, arguments.rounds, precisions)
        elif part == "code":
            for name in CODED_LATENTS:
                code(name, arguments.rounds)
            code_hyper(arguments.rounds)
        elif part == "startup":
            startup()
        elif part == "audio":
            audio(str(pathlib.Path(__file__).resolve()), arguments.minutes)
        else:
            memory(arguments.steps)


def precisions_of(words: str | None) -> list[str]:
    """The precisions asked for, or those that the machine multiplies natively."""
    from training.precision import resolve_precision

    if words is not None:
        return words.split(",")
    return ["float32"] + ["bfloat16"] * (resolve_precision("auto") == "bfloat16")


def our_model(name: str, latents: int):
    """Autoencoder with uniform noise in both slots, as the reference has it."""
    import functools

    import tensorflow as tf

    from entropy import FactorizedPrior
    from models import Autoencoder
    from models.bls2017 import Bls2017Transforms
    from models.factorized import FactorizedTransforms
    from quantizers import ScalarQuantizer, UniformNoise

    tf.keras.utils.set_random_seed(0)
    if name == "bls2017":
        transforms = Bls2017Transforms(num_filters=FILTERS)
    else:
        transforms = FactorizedTransforms(num_filters=FILTERS, latent_channels=latents)
    return Autoencoder(
        transforms=transforms,
        quantizer=ScalarQuantizer(decoder=UniformNoise(seed=0), rate=UniformNoise(seed=0)),
        entropy=functools.partial(FactorizedPrior, init_scale=1.0),
    )


def code(name: str, rounds: int) -> None:
    """Whole files: encode and decode one 768x512 photograph, models loaded, both in float32."""
    import tensorflow as tf
    from reference import ReferenceModel

    latents = CODED_LATENTS[name]
    pixels = photograph(512, 768)
    batch = tf.constant(pixels[np.newaxis], tf.float32)

    reference = ReferenceModel(CONVOLUTIONS[name], FILTERS, latents, init_scale=1.0)
    last = reference.analysis.layers[-1].kernel_parameter
    scale = float(tf.math.reduce_std(reference.analysis(batch)))
    for variable in (last.real, last.imag):
        variable.assign(variable / scale)
    reference.freeze()
    coded = reference.compress(pixels)

    codec = our_codec(name, latents, batch)
    data = codec.encode(pixels)
    seconds = in_turn(
        {
            "their encode": lambda: reference.compress(pixels)[0].numpy(),
            "our encode": lambda: codec.encode(pixels),
            "their decode": lambda: reference.decompress(*coded).numpy(),
            "our decode": lambda: codec.decode(data),
        },
        rounds,
    )
    print(f"\n{name}, N = {FILTERS}, M = {latents}: one photograph of 768x512, float32")
    print(f"{'':26}{'encode, ms':>12}{'decode, ms':>12}{'both, ms':>12}{'ratio':>8}{'bytes':>9}")
    reference_total = seconds["their encode"] + seconds["their decode"]
    for label, who, size in [
        ("TFC's script, tf.function", "their", len(coded[0].numpy()[0])),
        ("Roundtrip", "our", len(data)),
    ]:
        encode, decode = seconds[f"{who} encode"], seconds[f"{who} decode"]
        print(
            f"{label:26}{1e3 * encode:12.0f}{1e3 * decode:12.0f}{1e3 * (encode + decode):12.0f}"
            f"{reference_total / (encode + decode):8.2f}{size:9}"
        )
    sys.stdout.flush()


def our_codec(name: str, latents: int, batch):
    """A codec over an untrained model whose latents have standard deviation 1 on a batch."""
    from codec import ImageCodec

    model = our_model(name, latents)
    kernel = model.transforms._analysis.layers[-1].kernel
    kernel.assign(kernel / np.std(model.transforms.analysis(batch)))
    model.freeze()
    return ImageCodec(model, name)


def startup() -> None:
    """From the command to the first step of the default job."""
    with tempfile.TemporaryDirectory() as folder:
        command = default_job(folder, "log_every=1")
        started = time.perf_counter()
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if line.startswith("step"):
                    break
            seconds = time.perf_counter() - started
            process.kill()
    print(f"\ndefault job: {seconds:.1f} s from the command to the end of the first step")
    sys.stdout.flush()


def memory(steps: int) -> None:
    """Peak resident memory of the default job and of coding an image of 12 megapixels."""
    print("\npeak resident memory")
    with tempfile.TemporaryDirectory() as folder:
        for label, command in [
            (f"default job, {steps} steps", default_job(folder, f"steps={steps}")),
            (
                "factorized, N = 128, M = 192: 4000x3000 image, float32",
                [sys.executable, str(pathlib.Path(__file__).resolve()), "--code-large-image"],
            ),
        ]:
            started = time.perf_counter()
            result = subprocess.run(
                [sys.executable, "-c", PEAK_OF_CHILD, *command],
                cwd=folder,
                capture_output=True,
                text=True,
            )
            seconds = time.perf_counter() - started
            if result.returncode:
                sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
            *output, peak = result.stdout.splitlines()
            print(f"{label:56}{int(peak) / 2**20:6.2f} GiB in {seconds:.0f} s")  # From Linux' KiB.
            if "--code-large-image" in command:
                print("\n".join(output))
            sys.stdout.flush()


def default_job(folder: str, *overrides: str) -> list[str]:
    """The command of ``make train``, in a run directory that is thrown away."""
    run = pathlib.Path(folder) / "run"
    return [sys.executable, str(ROOT / "train.py"), f"run={run}", "overwrite=true", *overrides]


def code_large_image() -> None:
    """Codes and decodes one image of 4000x3000, in a process of its own."""
    import tensorflow as tf

    pixels = photograph(3000, 4000)
    codec = our_codec("factorized", 192, tf.constant(pixels[np.newaxis, :512, :768], tf.float32))
    for _ in range(2):
        started = time.perf_counter()
        data = codec.encode(pixels)
        middle = time.perf_counter()
        decoded = codec.decode(data)
        ended = time.perf_counter()
    assert decoded.shape == pixels.shape
    print(f"    encode {middle - started:.1f} s, decode {ended - middle:.1f} s, {len(data)} bytes")


if __name__ == "__main__":
    main()
