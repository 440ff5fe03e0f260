"""Checks that data, model and distortion fit together; validation files in the model's form."""

from __future__ import annotations

import itertools
from typing import List, Optional, Sequence

import numpy as np

from assembly.choices import check_names
from evaluation.classical import classical_codecs
from evaluation.media import MEDIA
from models import Autoencoder
from models.hyperprior import STRIDE

FEWEST_HYPER_LATENTS = 2
"""Along each axis of a training patch, for a model that codes whole images like patches."""


def validation_signals(source, model: Autoencoder, most: int) -> List[np.ndarray]:
    """Up to ``most`` validation files in the model's form ``[height, width, input channels]``."""
    medium = MEDIA[source.medium]
    files = itertools.islice(medium.whole_files(source, "validation"), most)
    return [medium.training_example(file, model.transforms) for file in files]


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
            own, coded = MEDIA[medium].content, MEDIA[transforms.medium].content
            raise ValueError(
                f"{group}={type(part).__name__} is for {own}, but the model codes {coded}."
            )
    if source.medium == "audio" and source.sample_rate != transforms.sample_rate:
        raise ValueError(
            f"data.sample_rate={source.sample_rate} must be the model's {transforms.sample_rate}."
        )
    name = MEDIA[source.medium].training_size
    size, stride = source.training_shape[1], transforms.strides[1]
    if size % stride:
        raise ValueError(f"data.{name}={size} must be a multiple of the model's {stride}.")
    if size < distortion.minimum_size:
        raise ValueError(
            f"data.{name}={size} must be at least {distortion.minimum_size} for "
            f"distortion={type(distortion).__name__}."
        )


def check_classical(medium: str, names: Optional[Sequence[str]]) -> None:
    """Raises ValueError if a classical codec is not one of the medium's, or not installed."""
    every = classical_codecs().values()
    known = {codec.name: codec for codec in every if codec.medium.name == medium}
    check_names("classical=", names or [], list(known))
    for name in names or []:
        known[name].require()


def small_patch_warning(source, model: Autoencoder) -> Optional[str]:
    """One line if training patches hold so few hyper-latents that a model learns only borders."""
    if model.hyper is None or source.medium != "image":
        return None
    least = FEWEST_HYPER_LATENTS * STRIDE * model.transforms.strides[1]
    if source.patch_size >= least:
        return None
    return (
        f"warning: data.patch_size={source.patch_size} should be at least {least} for a model with "
        f"side information ({FEWEST_HYPER_LATENTS} hyper-latents along each axis); on smaller "
        "patches it may learn to code patches but not whole images."
    )
