"""Curves of classical codecs on a dataset, measured once and then read from results files.

A curve takes a minute a codec on two dozen photographs, and is the same beside every learned codec.
Those of sound are kept likewise.
"""

from __future__ import annotations

import functools
import hashlib
import pathlib
from typing import Any, Callable, Iterator

from PIL import __version__ as pillow_version

from evaluation.audio_measure import Recording
from evaluation.classical.audio_formats import ClassicalAudioCodec
from evaluation.classical.audio_matches import audio_ladder
from evaluation.classical.matches import LADDER_QUALITIES, ClassicalCodec, ladder
from evaluation.measure import Image
from evaluation.metrics.audio import has_pesq
from evaluation.results import Dataset, Results, read_results, write_results

LADDERS = pathlib.Path("build/classical")
"""Where curves are kept, as files in the exchange schema."""


def kept_ladder(
    codec: ClassicalCodec,
    images: Callable[[], Iterator[Image]],
    dataset: Dataset,
    folder: pathlib.Path = LADDERS,
) -> Results:
    """The codec's curve on a dataset: from its file in ``folder``, or measured and written there.

    A file serves only for the same pixels, codec, settings and version of the library; a damaged
    one is measured anew.

    Args:
        codec: the classical codec.
        images: gives the dataset's images; called only where there is no file.
        dataset: what the images are, by the digest of their pixels.
        folder: of the files; made when missing.
    """
    settings = (dataset.sha256, codec.name, codec.options, pillow_version, LADDER_QUALITIES)
    measure = functools.partial(ladder, codec, dataset=dataset.name)
    return _kept(measure, images, codec.name, settings, dataset, folder)


def kept_audio_ladder(
    codec: ClassicalAudioCodec,
    recordings: Callable[[], Iterator[Recording]],
    dataset: Dataset,
    folder: pathlib.Path = LADDERS,
) -> Results:
    """The same of sound; ``recordings`` as ``images`` there."""
    import soundfile

    settings = (dataset.sha256, codec, soundfile.__libsndfile_version__, has_pesq())
    measure = functools.partial(audio_ladder, codec, dataset=dataset.name)
    return _kept(measure, recordings, codec.name, settings, dataset, folder)


def _kept(
    measure: Callable[[Iterator], Results],
    files: Callable[[], Iterator],
    name: str,
    settings: Any,
    dataset: Dataset,
    folder: pathlib.Path,
) -> Results:
    key = hashlib.sha256(repr(settings).encode()).hexdigest()[:12]
    path = folder / f"{dataset.name}-{name}-{key}.json"
    if path.exists():
        try:
            kept = read_results(path)
        except ValueError:
            kept = None
        if kept is not None and kept.dataset is not None and kept.dataset.sha256 == dataset.sha256:
            return kept
    measured = measure(files())
    write_results(measured, path)
    return measured
