"""Finding, preparing and splitting datasets of TensorFlow Datasets, whatever they hold."""

from __future__ import annotations

import contextlib
import difflib
import io
import logging
from typing import Dict, Mapping, Optional

import tensorflow_datasets as tfds
from tensorflow_datasets.core.utils import gcs_utils

from data.source import SPLITS


def find_builder(name: str, data_dir: Optional[str]) -> tfds.core.DatasetBuilder:
    """The builder of a dataset by its name.

    Raises:
        ValueError: no such dataset or configuration, or one whose library is missing.
    """
    # TFDS before 4.9.4 asks Google's storage about every unprepared dataset, and offline waits
    # for minutes. Later versions have this switched off themselves.
    gcs_utils._is_gcs_disabled = True
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        close = difflib.get_close_matches(str(name).split("/")[0].split(":")[0], known)
        hint = f"close matches: {', '.join(close)}" if close else "no name is close to it"
        raise ValueError(f"name={name!r} is not a TFDS dataset; {hint}.") from error
    except Exception as error:  # a malformed name, an unknown configuration, a missing library
        raise ValueError(f"name={name!r} cannot be loaded: {one_line(error)}") from error


def is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    """As the builder's own method in recent versions, but without a warning where it is not."""
    return (builder.data_path / "dataset_info.json").exists()


def check_prepared(builder: tfds.core.DatasetBuilder, name: str) -> None:
    """Raises ValueError, which names the way out, unless the dataset is prepared."""
    if not is_prepared(builder):
        raise ValueError(
            f"name={name!r} is not prepared in {builder.data_dir}: "
            "data.download=true downloads and prepares it."
        )


def prepare(builder: tfds.core.DatasetBuilder, *, download_dir: Optional[str] = None) -> None:
    """Downloads and prepares; where two processes do so at once, the first one's result stays.

    TFDS writes to a folder of its own and renames it last, which fails for the second process.

    Args:
        builder: of the dataset.
        download_dir: folder of downloaded archives; null is TFDS's own.

    Raises:
        ValueError: it failed.
    """
    try:
        builder.download_and_prepare(download_dir=download_dir)
    except Exception as error:
        if not is_prepared(builder):
            raise ValueError(
                f"{builder.info.full_name} could not be prepared: {one_line(error)}"
            ) from error


def prepare_quietly(builder: tfds.core.DatasetBuilder, message: str, logger: str) -> None:
    """As `prepare`, with one log line in the place of TFDS's banners: nothing is downloaded."""
    logging.getLogger(logger).info("%s to %s", message, builder.data_dir)
    unseen = io.StringIO()
    with contextlib.redirect_stdout(unseen), contextlib.redirect_stderr(unseen):
        prepare(builder)


def choose_splits(
    builder: tfds.core.DatasetBuilder, named: Optional[Mapping[str, Optional[str]]] = None
) -> Dict[str, Optional[str]]:
    """TFDS's name or slice for each split; None for one without records.

    Args:
        builder: of a prepared dataset.
        named: what the user names for a split, as "dev_clean"; else it is the split of that name,
            "train" also the only split whatever its name, or for the others a tenth (at least one
            record) cut from the end of what is trained on.

    Raises:
        ValueError: no such split, or none named that could be trained on.
    """
    own = builder.info.splits
    named = {split: value for split, value in (named or {}).items() if value is not None}
    for split, value in named.items():
        try:
            own[value]
        except Exception as error:  # KeyError, ValueError: by TFDS's version and kind of mistake
            raise ValueError(
                f"splits.{split}={value!r} is no split of {builder.info.full_name}, which has "
                f"{', '.join(own)}."
            ) from error
    base = trained_on(builder, named)
    chosen: Dict[str, Optional[str]] = {
        split: named.get(split, split if split in own and split != base else None)
        for split in SPLITS
    }
    chosen["train"] = base
    if base in own:  # a slice or a sum is not cut any further
        end = own[base].num_examples
        tenth = max(1, end // 10)
        for split in ("test", "validation"):
            if chosen[split] is None and end > tenth:
                chosen[split] = f"{base}[{end - tenth}:{end}]"
                end -= tenth
        chosen["train"] = base if end == own[base].num_examples else f"{base}[:{end}]"
    return chosen


def trained_on(
    builder: tfds.core.DatasetBuilder, named: Optional[Mapping[str, Optional[str]]] = None
) -> str:
    """The split that training takes its records from, whole; see `choose_splits`."""
    own = builder.info.splits
    if named and named.get("train"):
        return named["train"]
    if "train" not in own and len(own) != 1:
        raise ValueError(
            f"{builder.info.full_name} has no split 'train'; its splits: {', '.join(own)}."
        )
    return "train" if "train" in own else next(iter(own))


def size_of(builder: tfds.core.DatasetBuilder, split: Optional[str]) -> int:
    """Records of a split or slice; none of None."""
    return builder.info.splits[split].num_examples if split else 0


def encoded_bytes(builder: tfds.core.DatasetBuilder, split: str) -> float:
    """Approximate bytes of a split's records: a slice's share of its split."""
    whole = builder.info.splits[split if "+" in split else split.split("[")[0]]
    return whole.num_bytes * size_of(builder, split) / max(1, whole.num_examples)


def one_line(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
