"""Runs from Python: train, load, encode, decode, evaluate, compare."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import json
import numbers
import os
import pathlib
import re
import signal
import subprocess
import sys
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Union

import numpy as np
from omegaconf import OmegaConf

from assembly.choice_nodes import choice_node
from assembly.choices import CONFIGS, check_names
from assembly.parts import build_part
from assembly.refining import refinement_node
from assembly.saved_run import SavedRun, load_run
from assembly.trust import targets_named
from codec import Audio
from evaluation.comparison.compare import compare as write_comparison
from evaluation.figures.training import read_log
from evaluation.metrics import METRICS
from evaluation.results import Results
from sweeps.train_process import TRAIN
from training.run_directory import NOT_PART_OF_A_RUN
from training.settings import register_resolvers

PathLike = Union[str, "os.PathLike[str]"]


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained run.

    Attributes:
        saved: what was loaded, for what this does not offer.
    """

    saved: SavedRun

    @property
    def path(self) -> pathlib.Path:
        """Its directory."""
        return self.saved.directory.path

    @property
    def medium(self) -> str:
        """Either "image" or "audio"."""
        return self.saved.medium

    @property
    def config(self) -> Dict[str, Any]:
        """The whole configuration, plain."""
        return OmegaConf.to_container(self.saved.config, resolve=True)

    def encode(
        self,
        signal: np.ndarray,
        sample_rate: Optional[int] = None,
        *,
        quality: Optional[float] = None,
    ) -> bytes:
        """The bytes of the .rtc file.

        Args:
            signal: image, uint8 ``[height, width, 3]``; audio, float32 ``[samples, channels]`` in
                -1..1.
            sample_rate: of audio, in Hz.
            quality: of a run of ``rate=variable``, 0 to 100; None: that of its lmbda.

        Raises:
            TypeError: an argument is of another type.
            ValueError: the run codes no such signal, or has one rate.
        """
        _check_type("signal", signal, np.ndarray, "a NumPy array")
        _check_type("sample_rate", sample_rate, (numbers.Integral, type(None)), "a whole number")
        _check_type("quality", quality, (numbers.Real, type(None)), "a number")
        if (sample_rate is None) != (self.medium == "image"):
            rule = "belongs to audio" if self.medium == "image" else "must be given for audio"
            raise ValueError(f"sample_rate={sample_rate} {rule}, and this run codes {self.medium}.")
        saved = self.saved if quality is None else self.saved.at_quality(quality)
        return saved.codec.encode(signal, *([] if sample_rate is None else [int(sample_rate)]))

    def decode(self, data: Union[bytes, bytearray, memoryview]) -> Union[np.ndarray, Audio]:
        """Of an image, uint8 ``[height, width, 3]``; of audio, int16 samples and their rate.

        Raises:
            codec.ForeignFile: not an .rtc file, or not of this run.
            codec.DamagedFile: truncated or altered.
            codec.TooLarge: larger than 2^27 pixels or 2^28 samples.
            TypeError: no bytes.
        """
        _check_type("data", data, (bytes, bytearray, memoryview), "bytes")
        return self.saved.codec.decode(bytes(data))

    def training_log(self) -> Mapping[str, np.ndarray]:
        """Columns of ``training.csv``: step, loss, bpp and more, float64 ``[lines]``."""
        return read_log(self.path / "training.csv")

    def evaluate(
        self,
        data: Union[str, Mapping[str, Any], None] = None,
        settings: Optional[Mapping[str, Any]] = None,
        *,
        split: Optional[str] = None,
        limit: Optional[int] = None,
        classical: Optional[Sequence[str]] = None,
        refinement: Optional[str] = None,
        quality: Optional[float] = None,
        checkpoint: str = "last",
        config_dir: Optional[PathLike] = None,
    ) -> Results:
        """Codes files and measures them, as ``evaluate.py`` does: see there what is written.

        Args:
            data: name in ``configs/data``; None: the run's own.
            settings: of the data, as ``{"root": "/kodak"}``.
            split: train, validation, test or all; None: what the data offer for this.
            limit: maximum number of files.
            classical: codecs beside it, ``[]`` for none; None: all of the medium.
            refinement: sga or rdoq.
            quality: see ``encode``.
            checkpoint: "last", or "best" for the weights with the lowest validation loss.
            config_dir: see ``load``.

        Returns:
            Means in ``points``, a dict for each file in ``rows``.

        Raises:
            ValueError: an argument is wrong, or the data are of the other medium.
            TypeError: an argument is of another type.
            FileNotFoundError: there are no such files.
        """
        from evaluate import evaluate

        _check_type("data", data, (str, collections.abc.Mapping, type(None)), "a name or a dict")
        _check_type("split", split, (str, type(None)), "a name")
        _check_type("limit", limit, (numbers.Integral, type(None)), "a whole number")
        _check_type("classical", classical, (list, tuple, type(None)), "a list of names")
        for name in classical or ():
            _check_type("classical", name, str, "a list of names")
        _check_type("refinement", refinement, (str, type(None)), "a name")
        _check_type("quality", quality, (numbers.Real, type(None)), "a number")
        _check_type("checkpoint", checkpoint, str, "a name")
        if data is None and settings:
            raise ValueError(f"settings={settings} belong to data=, which is not given.")
        node = data and choice_node("data", data, settings)
        return evaluate(
            os.fspath(self.path),
            node and build_part(OmegaConf.create(node)),
            split=split,
            limit=limit,
            classical=classical,
            refinement=refinement_node(refinement, None),
            quality=quality,
            checkpoint=checkpoint,
            trusted=_trusted(config_dir),
        )


def load(run: PathLike, *, config_dir: Optional[PathLike] = None) -> Run:
    """Loads a trained run.

    Args:
        run: name under ``runs/``, a path, or ``pretrained:NAME``.
        config_dir: configuration folder of your own that the run used.

    Raises:
        FileNotFoundError: there is no such run.
        TypeError: it is no name and no path.
        ValueError: it is not trained to its end, damaged, or names classes that are not trusted.
    """
    return Run(load_run(_path("run", run), trusted=_trusted(config_dir)))


def train(*overrides: str, show: Callable[[str], Any] = print) -> Run:
    """Trains a run, as ``train.py`` does, in a process of its own; an interrupted one resumes.

    Args:
        overrides: of ``train.py``, as ``"lmbda=0.01"``.
        show: called with each line of output.

    Returns:
        The trained run.

    Raises:
        ValueError: an override is wrong.
        TypeError: an override is no text.
        RuntimeError: training broke; the message ends with the output's last lines.
        KeyboardInterrupt: it was interrupted, after it wrote a checkpoint.
    """
    for override in overrides:
        _check_type("overrides", override, str, "text, as 'lmbda=0.01'")
        if override in ("-m", "--multirun"):
            raise ValueError(f"{override} trains many runs: only the command train.py does.")
    last: collections.deque = collections.deque(maxlen=20)
    path = None
    process = subprocess.Popen(
        [sys.executable, "-u", os.fspath(TRAIN), *overrides],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        start_new_session=True,  # Ctrl-C comes from here, once.
    )
    try:
        for line in process.stdout:
            last.append(line.rstrip("\n"))
            match = re.match(r"run directory: (.*)", last[-1])
            path = match[1] if match else path
            show(last[-1])
        status = process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.communicate()  # Until it has written its checkpoint; a closed pipe would end it.
        raise
    if status == 2 and last[-1].startswith("error: "):
        raise ValueError(last[-1][len("error: ") :])
    if status or path is None:
        raise RuntimeError("\n".join([f"train.py ended with status {status}:", *last]))
    return load(path, config_dir=_config_dir(overrides))


def compare(
    results: Union[PathLike, Run, Sequence[Union[PathLike, Run]]],
    anchor: str,
    *,
    output: PathLike = "build/comparison",
    dataset: str = "kodak",
    **options: Any,
) -> Dict[str, Any]:
    """Ranks codecs by BD-rate or, of fewer than four lmbda, loss, as ``scripts/compare.py`` does.

    Args:
        results: evaluated runs, run directories, results files and patterns of these; or one.
        anchor: curve to compare with: runs are curves named after their quantizer.
        output: folder of ``comparison.md``, ``.json``, ``.png``, ``.svg`` and ``report.html``; of
            a ranking by loss, ``losses.png`` and ``.svg`` instead of the last three.
        dataset: of the runs' results.
        options: ``only``, ``metric``, ``resamples``, ``seed``.

    Returns:
        What ``comparison.json`` holds: ``curves`` in order of rank, ``not_ranked``, ``notes``.

    Raises:
        ValueError: the results cannot be compared, or form fewer than two curves; the output is a
            file.
        TypeError: an argument is of another type.
        FileNotFoundError: one of them does not exist.
    """
    _check_type("anchor", anchor, str, "the name of a curve")
    _check_type("only", options.get("only"), (str, type(None)), "names with commas between them")
    for name in {"resamples", "seed"} & options.keys():
        _check_type(name, options[name], numbers.Integral, "a whole number")
    _check_type("metric", options.get("metric"), (str, type(None)), "a name")
    if options.get("metric") is not None:
        check_names("metric=", [options["metric"]], list(METRICS))
    if os.path.isfile(_path("output", output)):
        raise ValueError(f"output={os.fspath(output)!r} is a file: name a folder.")
    if isinstance(results, str) or not isinstance(results, collections.abc.Iterable):
        results = [results]
    register_resolvers()  # Curves are named after configs/quantizer.
    write_comparison(
        [_path("results", each.path if isinstance(each, Run) else each) for each in results],
        anchor=anchor,
        output=pathlib.Path(output),
        dataset=dataset,
        quantizers=CONFIGS / "quantizer",
        ignored=NOT_PART_OF_A_RUN,
        load_codec=lambda run: load(run).saved.codec,
        **options,
    )
    return json.loads((pathlib.Path(output) / "comparison.json").read_text())


def _trusted(config_dir: Optional[PathLike]):
    return targets_named(None if config_dir is None else _path("config_dir", config_dir))


def _path(name: str, value: PathLike) -> str:
    _check_type(name, value, (str, os.PathLike), "a name or a path")
    return os.fspath(value)


def _check_type(name: str, value: Any, kinds: Any, rule: str) -> None:
    if not isinstance(value, kinds):
        raise TypeError(f"{name}={value!r:.60} must be {rule}.")


def _config_dir(overrides: Sequence[str]) -> Optional[str]:
    """Of ``--config-dir FOLDER`` or ``--config-dir=FOLDER``."""
    text = "\n".join(overrides)
    match = re.search(r"^(?:--config-dir|-cd)[\n=](.+)$", text, re.MULTILINE)
    return match and match[1]
