"""Decodes files that no encoder wrote, with every class of quantizer in every model.

python benchmarks/fuzz.py                        # 100,000 files
python benchmarks/fuzz.py --files 3000 --only audio
python benchmarks/fuzz.py --only bls2017/lattice --first 417 --files 1     # the file of a failure

Each must decode, or be refused by one of the codec's errors, within 2 seconds of CPU time; the
memory of the process must not grow by more than 500 MB. The first failure is printed with its
command and ends the run with status 1. Files depend on the seed, the model and their number alone.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import resource
import sys
import threading
import time
from typing import Dict, Iterable, Iterator, List, Sequence, Tuple

import numpy as np
from mutations import Original, mutant

from assembly.user_errors import one_line_errors
from processor.process import set_process

MOST_SECONDS = 2.0
MOST_MEMORY = 500 * 2**20
HANG_SECONDS = 20.0
"""Of CPU time, after which a decoder that does not return ends the process."""

SMALL_IMAGE = ("precision=float32", "model.transforms.num_filters=8")
SMALL_AUDIO = (
    "precision=float32",
    "model.transforms.sample_rate=8000",
    "model.transforms.num_filters=4",
    "model.transforms.latent_channels=8",
    "model.transforms.strides=[4,4]",
    "model.transforms.dilations=[1]",
)


class Failure(Exception):
    """A file took too long or too much, or an error came out that is no codec's."""


def main() -> None:
    """Fuzzes all models, or those of ``--only``, each with its share of the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=100_000, metavar="N", help="of all models")
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="NAME", help="MODEL, QUANTIZER, MODEL/QUANTIZER"
    )
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    with one_line_errors():
        names = [
            name
            for name in configurations()
            if any(name.startswith(each) or name.endswith(f"/{each}") for each in arguments.only)
        ]
        if not names or arguments.files < 1:
            raise ValueError(
                f"--only {' '.join(arguments.only)} --files {arguments.files} must be at least one "
                "model and one file."
            )
        watch = Watch()
        try:
            fuzz(names, arguments, watch)
        except Failure as failure:
            print(f"FAILED: {watch.command}\n{failure}")
            sys.exit(1)


def fuzz(names: List[str], arguments: argparse.Namespace, watch: Watch) -> None:
    """Decodes each model's share of the files and prints a line for each model.

    Raises:
        Failure: a file took too long or too much, or an error came out that is no codec's.
    """
    share = -(-arguments.files // len(names))
    outcomes: Dict[str, int] = collections.Counter()
    slowest = grown = 0.0
    for name in names:
        codec = build(name)
        originals = list(originals_of(codec))
        before = peak_memory()
        took = 0.0
        numbers = range(arguments.first, arguments.first + share)
        for number, data in mutants(originals, f"{arguments.seed} {name}", numbers):
            watch.begin(f"--seed {arguments.seed} --only {name} --first {number} --files 1", data)
            start = time.process_time()
            outcomes[outcome(codec, data)] += 1
            seconds = time.process_time() - start
            took = max(took, seconds)
            if seconds > MOST_SECONDS:
                raise Failure(f"{seconds:.1f} seconds of CPU time for {len(data)} bytes")
            if peak_memory() - before > MOST_MEMORY:
                raise Failure(f"{(peak_memory() - before) / 2**20:.0f} MB for {len(data)} bytes")
        watch.end()
        grown, slowest = max(grown, peak_memory() - before), max(slowest, took)
        print(f"{name}: {share} files, slowest {took:.2f} s of CPU time", flush=True)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(outcomes.items()))
    print(
        f"{share * len(names)} files of {len(names)} models: {listed}; slowest {slowest:.2f} s of "
        f"CPU time, memory grew by {grown / 2**20:.0f} MB at most"
    )


def mutants(
    originals: Sequence[Original], seed: str, numbers: Iterable[int]
) -> Iterator[Tuple[int, bytes]]:
    """Numbers and changed files, which depend on the seed and the number alone."""
    for number in numbers:
        rng = random.Random(f"{seed} {number}")
        yield number, mutant(rng.choice(originals), rng)


def outcome(codec, data: bytes) -> str:
    """What became of a file.

    Raises:
        Failure: an error came out that is no codec's.
    """
    from codec import DamagedFile, ForeignFile, TooLarge

    try:
        codec.decode(data)
    except (DamagedFile, ForeignFile, TooLarge) as error:
        return type(error).__name__
    except Exception as error:
        raise Failure(f"{type(error).__name__}: {error}") from error
    return "decoded"


def configurations() -> Dict[str, List[str]]:
    """Name -> overrides of train.py, for each model with each class of quantizer, and more.

    Where scales are predicted, quantizers of indices take the hyper-latents.
    """
    from omegaconf import OmegaConf

    from assembly.choices import CONFIGS, choices_of

    kinds: Dict[str, str] = {}
    for quantizer in choices_of("quantizer"):
        node = OmegaConf.load(CONFIGS / "quantizer" / f"{quantizer}.yaml")
        kinds.setdefault(node._target_, quantizer)
    found = {}
    for model in choices_of("model"):
        node = OmegaConf.load(CONFIGS / "model" / f"{model}.yaml")
        small = SMALL_AUDIO if model == "audio" else SMALL_IMAGE
        if "latent_channels" in node.transforms and model != "audio":
            small += ("model.transforms.latent_channels=32",)
        for quantizer in kinds.values():
            own = [f"quantizer={quantizer}"]
            if "hyper" in node and _codes_indices(quantizer):
                own = ["quantizer=mixed", f"quantizer@hyper_quantizer={quantizer}"]
            found[f"{model}/{quantizer}"] = [f"model={model}", *own, *small]
        if "hyper" not in node:
            # Tables in which 0 is nearly certain: few bytes may hold many symbols.
            peaked = ("quantizer=mixed", "entropy=factorized", "entropy.init_scale=0.05")
            found[f"{model}/peaked"] = [f"model={model}", *peaked, *small]
    return found


def _codes_indices(quantizer: str) -> bool:
    from assembly.parts import build_part

    part = build_part(_compose([f"quantizer={quantizer}"]).quantizer)
    part.build(32)
    return part.alphabet.kind == "indices"


def build(name: str):
    """The codec of an untrained model whose latents fill the coding tables, and leave some."""
    import tensorflow as tf

    from assembly.parts import build_model
    from evaluation.media import MEDIA

    tf.keras.backend.clear_session()
    model = build_model(_compose(configurations()[name]))
    for variable in model.transforms.trainable_variables:
        if "kernel" in variable.name:
            variable.assign(3 * variable)
    model.freeze()
    return MEDIA[model.transforms.medium].codec(model, name)


def originals_of(codec) -> Iterator[Original]:
    """Coded files of several sizes."""
    rng = np.random.default_rng(0)
    for signal in _signals(codec.model.transforms.medium, rng):
        for options in ({}, {"fixed_length": True})[: 1 + codec.has_fixed_length]:
            yield original_of(codec, codec.encode(*signal, **options))


def _signals(medium: str, rng: np.random.Generator) -> Iterator[Tuple]:
    if medium == "image":
        for size in ((1, 1), (17, 90), (64, 48)):
            yield (rng.integers(0, 256, (*size, 3)).astype(np.uint8),)
        return
    for length, channels, rate in ((1, 1, 8000), (700, 2, 8000), (500, 1, 11025)):
        yield rng.uniform(-0.3, 0.3, (length, channels)).astype(np.float32), rate


def original_of(codec, data: bytes) -> Original:
    """The file that a codec wrote."""
    from codec.container import CodedAudio, CodedImage, unpack

    codec.decode(data)  # Builds what the first file would else be charged with.
    kind = CodedImage if codec.model.transforms.medium == "image" else CodedAudio
    return Original(data, unpack(data, codec.fingerprint, kind), _escapes(codec.model))


def _escapes(model) -> List[int]:
    """Where escapes begin in a model's tables of integers."""
    escapes = []
    for entropy in filter(None, (model.entropy, model.hyper_entropy)):
        if entropy.kind == "integers":
            lookup = entropy._tables().lookup.numpy()
            ends = np.append(np.flatnonzero(lookup < 0)[1:] - 1, len(lookup) - 1)
            escapes += lookup[ends - 1].tolist()
    return sorted(set(escapes))


def _compose(overrides: List[str]):
    import hydra

    from assembly.choices import CONFIGS
    from training.settings import register_settings

    register_settings()
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("train", overrides=overrides)


def peak_memory() -> float:
    """Peak resident memory of this process, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class Watch:
    """Ends the process if a decoder does not return, and knows the file that was decoded last."""

    def __init__(self) -> None:
        """Starts watching."""
        self.command = ""
        self._began = None
        threading.Thread(target=self._wait, daemon=True).start()

    def begin(self, options: str, data: bytes) -> None:
        """A file is being decoded."""
        self.command = f"python benchmarks/fuzz.py {options}"
        self._size, self._began = len(data), time.process_time()

    def end(self) -> None:
        """No file is being decoded."""
        self._began = None

    def _wait(self) -> None:
        while True:
            time.sleep(1)
            began = self._began
            if began is not None and time.process_time() - began > HANG_SECONDS:
                print(f"FAILED: {self.command}\nno end for {self._size} bytes", flush=True)
                os._exit(1)


if __name__ == "__main__":
    set_process()
    main()
