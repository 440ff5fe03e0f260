"""Checks that data, model and distortion are of one medium; validation files as models see them."""

from __future__ import annotations

import itertools
from typing import List

import numpy as np

from evaluation.media import MEDIA
from models import Autoencoder


def validation_signals(source, model: Autoencoder, most: int) -> List[np.ndarray]:
    """The first validation files as the model sees them: ``[height, width, input channels]``."""
    medium = MEDIA[source.medium]
    files = itertools.islice(medium.whole_files(source, "validation"), most)
    return [medium.training_example(file, model.transforms) for file in files]


def check_media(source, model: Autoencoder, distortion=None) -> None:
    """Raises ValueError unless data, model and distortion are of one medium and fit in size."""
    transforms = model.transforms
    _check_medium("data", source, transforms.medium)
    if distortion is not None:
        _check_medium("distortion", distortion, transforms.medium)
    if source.medium == "audio" and source.sample_rate != transforms.sample_rate:
        raise ValueError(
            f"data.sample_rate={source.sample_rate} must be the model's {transforms.sample_rate}."
        )


def check_training_size(source, model: Autoencoder, distortion) -> None:
    """Raises ValueError unless a training patch or segment fits the model and the distortion."""
    name = MEDIA[source.medium].training_size
    size, stride = source.training_shape[1], model.transforms.strides[1]
    if size % stride:
        raise ValueError(f"data.{name}={size} must be a multiple of the model's {stride}.")
    if size < distortion.minimum_size:
        raise ValueError(
            f"data.{name}={size} must be at least {distortion.minimum_size} for "
            f"distortion={type(distortion).__name__}."
        )


def _check_medium(group: str, part, medium: str) -> None:
    # A part without a medium, such as a user's own distortion, is taken to fit.
    own = getattr(part, "medium", medium)
    if own != medium:
        raise ValueError(
            f"{group}={type(part).__name__} is for {MEDIA[own].content}, but the model codes "
            f"{MEDIA[medium].content}."
        )
