"""Loads a trained run from its directory."""

from __future__ import annotations

import pathlib
from typing import Collection, NamedTuple, Optional, Union

from omegaconf import DictConfig, OmegaConf

from assembly.parts import build_model
from assembly.trust import check_trusted
from codec import AudioCodec, ImageCodec
from evaluation.media import MEDIA
from evaluation.results import read_results
from models.variable_rate import LARGEST_QUALITY, STEPS_PER_QUALITY
from training.best import model_folder, read_record
from training.checkpoints import model_digest, restore_model
from training.run_directory import RunDirectory
from training.run_names import PRETRAINED, existing_run_path, pretrained_names


class SavedRun(NamedTuple):
    """A trained run: its directory, its configuration and its codec; "image" or "audio"."""

    directory: RunDirectory
    config: DictConfig
    codec: Union[ImageCodec, AudioCodec]
    medium: str

    def at_quality(self, quality: float) -> SavedRun:
        """A run for every rate, set to one: its ``lmbda`` is the one of that quality.

        Args:
            quality: 0 to 100, in whole hundredths.

        Raises:
            ValueError: it is out of its range, or the run has one rate.
        """
        if not 0 <= quality <= LARGEST_QUALITY:
            raise ValueError(f"quality={quality:g} must be 0 to {LARGEST_QUALITY:g}.")
        hundredths = round(quality * STEPS_PER_QUALITY)
        codec, config = self.codec.at_quality(hundredths), self.config.copy()
        config.lmbda = codec.model.rate.lmbda_of(hundredths)
        return self._replace(codec=codec, config=config)


def trusted_config(directory: RunDirectory, trusted: Collection[str] = ()) -> DictConfig:
    """The configuration of a run, of which parts may be built.

    Args:
        directory: of the run.
        trusted: classes that it may name besides those of ``configs/``, see ``assembly.trust``.

    Raises:
        FileNotFoundError: there is no such run.
        ValueError: it names a class that is no part, or refers to more than its own settings.
    """
    config = directory.load_config()
    try:
        check_trusted(config, trusted)
    except ValueError as error:
        raise ValueError(f"run={str(directory.path)!r}: {error}") from None
    return config


def load_run(
    run: str,
    precision: str = "float32",
    stages: Optional[int] = None,
    trusted: Collection[str] = (),
    checkpoint: str = "last",
) -> SavedRun:
    """Loads a trained run. Nothing of it is executed but the project's own and trusted classes.

    Args:
        run: name under ``runs/``, or a path.
        precision: of the transforms. The default is float32 however the run was trained, because
            decoding should not depend on what the machine is fast at.
        stages: number of stages of a residual quantizer that files get; None: all.
        trusted: see `trusted_config`.
        checkpoint: "last", or "best" for the weights with the lowest validation loss.

    Raises:
        FileNotFoundError: there is no such run.
        ValueError: it names a class that is not trusted, training has not finished, the files are
            damaged, or the quantizer has fewer stages.
    """
    path = existing_run_path(run)
    directory = RunDirectory(path)
    config = trusted_config(directory, trusted)
    if not directory.trained:
        raise ValueError(
            f"run={str(path)!r} is not trained to its end: its train.py command resumes it."
        )
    model = build_model(OmegaConf.merge(config, {"precision": precision}))
    folder = model_folder(directory, checkpoint)
    steps = config.steps if checkpoint == "last" else read_record(folder).step
    restore_model(model, folder, steps)
    medium = model.transforms.medium
    codec = MEDIA[medium].codec(model, path.resolve().name, stages)
    return SavedRun(directory, config, codec, medium)


def codec_of(results: pathlib.Path, trusted: Collection[str] = ()) -> Union[ImageCodec, AudioCodec]:
    """The codec of a run, or of a pretrained model, that wrote the files of a results file.

    Args:
        results: the JSON file, where the evaluation wrote it.
        trusted: see `trusted_config`.

    Raises:
        FileNotFoundError: there is no run around it.
        ValueError: see `trusted_config`.
    """
    folder = results.resolve().parent
    pretrained = (RunDirectory(PRETRAINED / name) for name in pretrained_names())
    found = (each for each in pretrained if each.results.resolve() == folder)
    directory = next(found, RunDirectory(folder.parent))
    measured = read_results(results).provenance.get("checkpoint")
    best = directory.best.is_dir() and model_digest(model_folder(directory, "best")) == measured
    checkpoint = "best" if best else "last"
    return load_run(str(directory.path), trusted=trusted, checkpoint=checkpoint).codec
