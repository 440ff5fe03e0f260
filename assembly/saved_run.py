"""Loads a trained run from its directory."""

from __future__ import annotations

import pathlib
from typing import NamedTuple, Optional, Union

from omegaconf import DictConfig

from assembly.parts import build_model
from codec import AudioCodec, ImageCodec
from evaluation.media import MEDIA
from training.checkpoints import restore_model
from training.run_directory import RunDirectory, run_path


class SavedRun(NamedTuple):
    """A trained run: its directory, its configuration and its codec; "image" or "audio"."""

    directory: RunDirectory
    config: DictConfig
    codec: Union[ImageCodec, AudioCodec]
    medium: str


def load_run(run: str, precision: str = "float32", stages: Optional[int] = None) -> SavedRun:
    """Loads a trained run.

    Args:
        run: name under ``runs/``, or a path.
        precision: of the transforms. The default is float32 however the run was trained, because
            decoding should not depend on what the machine is fast at.
        stages: number of stages of a residual quantizer that files get; None: all.

    Raises:
        FileNotFoundError: there is no such run.
        ValueError: training has not finished, the files are damaged, or the quantizer has fewer
            stages.
    """
    path = run_path(run)
    if not path.exists() and pathlib.Path(run).exists():
        path = pathlib.Path(run)
    directory = RunDirectory(path)
    config = directory.load_config()
    if not directory.trained:
        raise ValueError(
            f"run={str(path)!r} is not trained to its end: its train.py command resumes it."
        )
    config.precision = precision
    model = build_model(config)
    restore_model(model, directory.model, config.steps)
    medium = model.transforms.medium
    codec = MEDIA[medium].codec(model, path.resolve().name, stages)
    return SavedRun(directory, config, codec, medium)
