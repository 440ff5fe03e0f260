"""What differs between images and audio when a run is built: files, codec, monitor, report."""

from __future__ import annotations

import itertools
import pathlib
from typing import Iterator, List, Optional

import numpy as np

from codec import AudioCodec, ImageCodec
from evaluation.audio_measure import sample_digest
from evaluation.measure import pixel_digest
from models import Autoencoder
from signals.loudness import loudness_gain
from signals.resampling import resample, resampled_length
from training.monitor import AudioMonitor, Monitor

NAMES = {"image": "images", "audio": "audio"}


def whole_files(source, split: str) -> Iterator:
    """Images or recordings of a split."""
    return source.recordings(split) if source.medium == "audio" else source.images(split)


def file_digest(file) -> str:
    """Digest of the pixels or samples of a file, as its row in the results has it."""
    if hasattr(file, "pixels"):
        return pixel_digest(file.pixels)
    return sample_digest(file.samples, file.sample_rate)


def make_codec(model: Autoencoder, name: str, stages: Optional[int] = None):
    """The codec of a frozen model."""
    codec = AudioCodec if model.transforms.medium == "audio" else ImageCodec
    return codec(model, name, stages)


def make_monitor(folder: pathlib.Path, model: Autoencoder, signals) -> Monitor:
    """TensorBoard, with the first validation signal if there is one."""
    example = next(iter(signals), None)
    if model.transforms.medium == "image":
        return Monitor(folder, model, example)
    return AudioMonitor(folder, model, None if example is None else example[0, :, 0])


def validation_signals(source, model: Autoencoder, most: int) -> List[np.ndarray]:
    """Up to ``most`` validation files in the model's form ``[height, width, input channels]``.

    For audio: the first channel, at the model's sample rate and at the level of coding.
    """
    files = itertools.islice(whole_files(source, "validation"), most)
    if source.medium == "image":
        return [file.pixels for file in files]
    rate = model.transforms.sample_rate
    signals = []
    for file in files:
        length = resampled_length(len(file.samples), file.sample_rate, rate)
        channel = resample(file.samples[:, :1], file.sample_rate, rate, length)[:, 0]
        signals.append((channel * loudness_gain(channel))[np.newaxis, :, np.newaxis])
    return signals


def report_of(medium: str):
    """The function that codes and measures files of a medium."""
    if medium == "audio":
        from evaluation.audio_report import report
    else:
        from evaluation.report import report
    return report


def check_fit(source, model: Autoencoder, distortion) -> None:
    """Checks that data, model and distortion fit together.

    Raises:
        ValueError: they are of different media or sample rates, or a training patch or segment
            does not fit the model or the distortion.
    """
    transforms = model.transforms
    for group, part in (("data", source), ("distortion", distortion)):
        # A part without a medium, such as a user's own distortion, fits any.
        medium = getattr(part, "medium", transforms.medium)
        if medium != transforms.medium:
            raise ValueError(
                f"{group}={type(part).__name__} is for {NAMES[medium]}, but the model codes "
                f"{NAMES[transforms.medium]}."
            )
    if source.medium == "audio" and source.sample_rate != transforms.sample_rate:
        raise ValueError(
            f"data.sample_rate={source.sample_rate} must be the model's {transforms.sample_rate}."
        )
    name = "segment" if source.medium == "audio" else "patch_size"
    size, stride = source.training_shape[1], transforms.strides[1]
    if size % stride:
        raise ValueError(f"data.{name}={size} must be a multiple of the model's {stride}.")
    if size < distortion.minimum_size:
        raise ValueError(
            f"data.{name}={size} must be at least {distortion.minimum_size} for "
            f"distortion={type(distortion).__name__}."
        )
