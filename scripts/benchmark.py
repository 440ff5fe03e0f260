"""Measures speed and memory against TFC's published script and against the machine itself.

python scripts/benchmark.py                          # all parts, 3 minutes on two cores
python scripts/benchmark.py --parts train --rounds 20

Whatever is compared runs in turn, round after round, in one process; figures are medians, so that
other work on the machine weighs on all alike. bfloat16 is measured where the processor multiplies
it natively: emulated, a step takes minutes.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from benchmark_audio import audio, code_long_sound
from benchmark_hyper import code_hyper, train_hyper
from measuring import PEAK_OF_CHILD, in_turn, photograph

PARTS = ("train", "code", "startup", "memory", "audio")
CONVOLUTIONS = {"bls2017": [(9, 4), (5, 2), (5, 2)], "factorized": [(5, 2)] * 4}
FILTERS, PATCH, BATCH = 128, 256, 8
ROOT = pathlib.Path(__file__).resolve().parent.parent


def main() -> None:
    """Runs the parts asked for and prints a table each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--parts", default=",".join(PARTS), help=f"comma-separated: {', '.join(PARTS)}"
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
    for part in parts:
        if part not in PARTS:
            parser.error(f"--parts={part}: must be among {', '.join(PARTS)}.")
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
            for name in CONVOLUTIONS:
                train(name, arguments.rounds, precisions)
            train_hyper(arguments.rounds, precisions)
        elif part == "code":
            for name in CONVOLUTIONS:
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


def train(name: str, rounds: int, precisions: list[str]) -> None:
    """Training steps: TFC's script, ours in each precision, and the machine's limits."""
    import tensorflow as tf
    from benchmark_reference import ReferenceModel, machine_cases, operations_per_image

    images = tf.constant(
        np.random.default_rng(0).integers(0, 256, [BATCH, PATCH, PATCH, 3]), tf.float32
    )
    reference = ReferenceModel(CONVOLUTIONS[name], FILTERS, FILTERS)
    reference.compile(optimizer=tf.keras.optimizers.Adam(1e-4))
    reference_step = tf.function(reference.train_step)
    cases, operations = machine_cases(BATCH, FILTERS, precisions)
    cases["TFC's script, float32"] = lambda: reference_step(images)["loss"].numpy()
    for precision in precisions:
        step = our_train_step(name, precision)
        cases[precision] = lambda step=step: step(images).finite.numpy()
    seconds = in_turn(cases, rounds)

    def rate(case):
        return operations[case] / seconds[case] / 1e9

    print(f"\n{name}, N = M = {FILTERS}: training, batches of {BATCH} patches of {PATCH}x{PATCH}")
    print(f"{'machine, GFLOP/s':26}" + "".join(f"{p:>10}" for p in precisions))
    for case in ("matrices", "convolution", "convolution, trained"):
        print(f"{case:26}" + "".join(f"{rate(f'{case} {p}'):10.0f}" for p in precisions))
    work = operations_per_image(CONVOLUTIONS[name], FILTERS, PATCH) / 1e9
    limits = {p: rate(f"convolution, trained {p}") / work for p in precisions}
    print(f"{'roofline, images/s':26}" + "".join(f"{limits[p]:10.1f}" for p in precisions))
    print(f"{'step':26}{'images/s':>10}{'ratio':>10}{'share of roofline':>20}")
    for case in ("TFC's script, float32", *precisions):
        speed = BATCH / seconds[case]
        ratio = seconds["TFC's script, float32"] / seconds[case]
        share = speed / limits.get(case, limits[precisions[0]])
        print(f"{case:26}{speed:10.1f}{ratio:10.2f}{share:20.0%}")
    sys.stdout.flush()


def our_model(name: str, *, latents: int, precision: str, init_scale: float = 10.0):
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
        transforms = Bls2017Transforms(num_filters=FILTERS, precision=precision)
    else:
        transforms = FactorizedTransforms(
            num_filters=FILTERS, latent_channels=latents, precision=precision
        )
    return Autoencoder(
        transforms=transforms,
        quantizer=ScalarQuantizer(decoder=UniformNoise(seed=0), rate=UniformNoise(seed=0)),
        entropy=functools.partial(FactorizedPrior, init_scale=init_scale),
    )


def our_train_step(name: str, precision: str) -> Callable:
    """The step that train.py takes."""
    from distortion import MeanSquaredError
    from training.optimizers import adam
    from training.step import TrainStep

    model = our_model(name, latents=FILTERS, precision=precision)
    return TrainStep(model, MeanSquaredError(), adam(steps=1000), lmbda=0.01)


def code(name: str, rounds: int) -> None:
    """Whole files: encode and decode one 768x512 photograph, models loaded, both in float32."""
    import tensorflow as tf
    from benchmark_reference import ReferenceModel

    latents = {"bls2017": FILTERS, "factorized": 192}[name]
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

    model = our_model(name, latents=latents, precision="float32", init_scale=1.0)
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
