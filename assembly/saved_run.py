"""Takes up a trained run from nothing but its directory."""

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
    """A trained run: its directory, its configuration, the codec that it became and of what."""

    directory: RunDirectory
    config: DictConfig
    codec: Union[ImageCodec, AudioCodec]
    medium: str = "image"


def load_run(run: str, precision: str = "float32", stages: Optional[int] = None) -> SavedRun:
    """Loads a trained run.

    Args:
        run: name under ``runs/``, or a path.
        precision: of the transforms; float32 whatever the run was trained in, because a decoder
            should not depend on what the machine is fast at.
        stages: of a residual quantizer, how many refinement stages files get; None: all.

    Raises:
        FileNotFoundError: there is no such run.
        ValueError: the run has not been trained to its end, its files are damaged, or its quantizer
            has not so many stages.
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
    restore_model(model, directory.model)
    model.advance(config.steps - 1)  # The last step that was taken.
    medium = model.transforms.medium
    codec = MEDIA[medium].codec(model, path.resolve().name, stages)
    return SavedRun(directory, config, codec, medium)
