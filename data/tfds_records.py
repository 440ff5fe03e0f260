"""Datasets of TensorFlow Datasets, whatever they hold: finding, preparing, reading."""

from __future__ import annotations

import contextlib
import difflib
import functools
import io
import logging
import re
from collections import Counter
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Set, Tuple, Union
from unittest import mock

import requests
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader
from tensorflow_datasets.core.utils import gcs_utils

from data.source import SPLITS, check_split
from data.speaker_split import SpeakerSplit
from data.tfds_splits import SplitNames, choose_splits, trained_on

RETRIES = 3
"""Of a download; TFDS's own 10 pause for 200 s in all."""

TIMEOUTS = (3.0, 60.0)
"""Seconds until there is a connection, and between two pieces of an answer; TFDS waits for ever."""


class TfdsRecords:
    """The records of a prepared dataset, in file order, in splits.

    Splits: by speaker if ``speakers`` is given. Otherwise those that ``splits`` names, then the
    dataset's own "train", "validation" and "test"; a dataset's only split is "train" whatever its
    name. Either of the last two that is missing is a tenth (at least one record) cut from the end
    of what is trained on. "all" is the three one after another.
    """

    def __init__(
        self,
        builder: tfds.core.DatasetBuilder,
        key: str,
        *,
        is_file: bool,
        encode: Callable[[tf.Tensor], tf.Tensor] = lambda value: value,
        name_key: Optional[str] = None,
        splits: SplitNames = None,
        speakers: Optional[SpeakerSplit] = None,
    ):
        """Chooses the splits, for which ``speakers`` reads all records once.

        Args:
            builder: of a prepared dataset.
            key: feature to read.
            is_file: whether the feature holds the content of a file, which is then not decoded.
            encode: turns the feature's value into one string, if it is not.
            name_key: feature that names a record; None numbers them.
            splits: TFDS's name or slice for each split that does not have its usual name.
            speakers: splits by speaker what ``splits`` trains on.

        Raises:
            ValueError: no such split or speaker, or no split that could be trained on.
        """
        self._builder = builder
        self._key = key
        self._is_file = is_file
        self._encode = encode
        self._name_key = name_key
        self._speakers = speakers
        self._members = {}
        if speakers is None:
            self._splits = choose_splits(builder, splits)
        else:
            self._splits = dict.fromkeys(SPLITS, trained_on(builder, splits))
            records = self._read(self._splits["train"], [speakers.key]).as_numpy_iterator()
            self._members = speakers.members([_text(record[speakers.key]) for record in records])

    def size(self, split: str) -> int:
        """Number of records in "train", "validation" or "test"."""
        if self._members:
            return int(self._members[split].sum())
        name = self._splits[split]
        return self._builder.info.splits[name].num_examples if name else 0

    @tf.autograph.experimental.do_not_convert
    def encoded(self, split: str) -> tf.data.Dataset:
        """The feature of each record in a split, as a string."""
        return self._records(split).map(lambda record: record["value"])

    def named(self, split: str) -> Iterator[Tuple[str, bytes]]:
        """Name and encoded feature of each record in a split, or in "all".

        Raises:
            ValueError: no such split; while iterating, a name that two records have.
        """
        check_split(split)
        parts = [part for part in SPLITS if split in (part, "all") and self.size(part)]
        return self._unique(record for part in parts for record in self._named(part))

    @property
    def training_bytes(self) -> float:
        """Approximate encoded size of the training records: their share of their splits."""
        own = self._builder.info.splits
        read = own[self._splits["train"]]
        records: Counter[str] = Counter()
        for part in read.file_instructions:
            records[part.filename] += part.take
        total = 0.0
        # TFDS knows the bytes of its own splits, and says 0 for slices and sums of them.
        for whole in own.values():
            count = sum(records[part.filename] for part in whole.file_instructions)
            total += whole.num_bytes * count / max(1, whole.num_examples)
        return total * self.size("train") / max(1, read.num_examples)

    def check_training(self, kind: str) -> None:
        """Raises ValueError unless there is a record to train on."""
        if not self.size("train"):
            raise ValueError(f"{self._builder.info.full_name} has no {kind} to train on.")

    @property
    def identity(self) -> str:
        """One line: how many records are trained and validated on, the dataset and its version."""
        counts = " and ".join(f"{self.size(split)} {split}" for split in ("train", "validation"))
        return f"{counts} records of TFDS {self._builder.info.full_name}"

    def describe(self, kind: str) -> str:
        """Log text: the number of records in each split, and where they come from."""
        parts = ", ".join(f"{self.size(split)} {split} ({self._origin(split)})" for split in SPLITS)
        return (
            f"{parts} {kind}s, feature {self._key!r} of TFDS {self._builder.info.full_name} in "
            f"{self._builder.data_dir}"
        )

    def _origin(self, split: str) -> str:
        if self._speakers:
            return f"{self._splits[split]}, {self._speakers.describe(split)}"
        return self._splits[split] or "none"

    def _read(self, split: str, features: List[str]) -> tf.data.Dataset:
        skipped = {self._key} & set(features) if self._is_file else ()
        return self._builder.as_dataset(
            split=split,
            decoders=tfds.decode.PartialDecoding(
                dict.fromkeys(features, True),
                decoders={key: tfds.decode.SkipDecoding() for key in skipped},
            ),
            shuffle_files=False,
            read_config=tfds.ReadConfig(try_autocache=False, skip_prefetch=True),
        )

    def _records(self, split: str) -> tf.data.Dataset:
        """The encoded "value" and, if there is a feature for it, the "name" of each record."""
        keys = {"value": self._key, **({"name": self._name_key} if self._name_key else {})}
        records = self._read(self._splits[split], list(keys.values()))
        if self._members:
            belongs = tf.constant(self._members[split])
            records = records.enumerate().filter(lambda index, _: belongs[index])
            records = records.map(lambda _, record: record)

        def chosen(record: Mapping[str, tf.Tensor]) -> Dict[str, tf.Tensor]:
            values = {name: record[key] for name, key in keys.items()}
            return {**values, "value": self._encode(values["value"])}

        return records.map(chosen)

    def _unique(self, records: Iterator[Tuple[str, bytes]]) -> Iterator[Tuple[str, bytes]]:
        seen: Set[str] = set()
        for name, value in records:
            if name in seen:  # Results and coded files have these names.
                raise ValueError(
                    f"name_key={self._name_key!r} gives two records of "
                    f"{self._builder.info.full_name} the name {name!r}: null numbers them."
                )
            seen.add(name)
            yield name, value

    def _named(self, split: str) -> Iterator[Tuple[str, bytes]]:
        for index, record in enumerate(self._records(split).as_numpy_iterator()):
            name = _text(record["name"]) if self._name_key else f"{split}-{index:06d}"
            yield name, record["value"]


def find_builder(name: str, data_dir: Optional[str]) -> tfds.core.DatasetBuilder:
    """The builder of a dataset by its name.

    Raises:
        ValueError: no such dataset or configuration, or one whose library is missing.
    """
    # TFDS before 4.9.4 asks Google's storage about every unprepared dataset, which takes minutes
    # offline. Later versions have this switched off.
    gcs_utils._is_gcs_disabled = True
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        close = difflib.get_close_matches(str(name).split("/")[0].split(":")[0], known)
        hint = f"close matches: {', '.join(close)}" if close else "no name is close to it"
        raise ValueError(f"name={name!r} is not a TFDS dataset; {hint}.") from error
    except Exception as error:  # a malformed name, an unknown configuration, a missing library
        raise ValueError(f"name={name!r} cannot be loaded: {_one_line(error)}") from error


def prepared_builder(
    name: str, data_dir: Optional[str], *, download: bool, download_dir: Optional[str] = None
) -> tfds.core.DatasetBuilder:
    """The builder of a dataset that is prepared, now if ``download`` allows it.

    Raises:
        ValueError: it is not prepared and must not be downloaded, or preparing it failed.
    """
    builder = find_builder(name, data_dir)
    if not _is_prepared(builder):
        if not download:
            raise ValueError(
                f"name={name!r} is not prepared in {builder.data_dir}: "
                "data.download=true downloads and prepares it."
            )
        _prepare(builder, download_dir)
    return find_builder(name, data_dir)  # anew, to read what is prepared by now


def prepare_quietly(name: str, data_dir: Optional[str], message: str, logger: str) -> None:
    """Prepares a dataset that needs no download, with one log line instead of TFDS's banners."""
    builder = find_builder(name, data_dir)
    if not _is_prepared(builder):
        logging.getLogger(logger).info("%s to %s", message, builder.data_dir)
        unseen = io.StringIO()
        with contextlib.redirect_stdout(unseen), contextlib.redirect_stderr(unseen):
            _prepare(builder, None)


def short_name(name: str) -> str:
    """A dataset's name for run directories and result files."""
    return re.sub(r"[^\w.]+", "-", str(name))


def describe_features(builder: tfds.core.DatasetBuilder) -> str:
    """For error messages: the dataset's features and their types."""
    features = builder.info.features.items()
    return ", ".join(f"{key} ({type(feature).__name__})" for key, feature in features)


def _is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    """As the builder's own method in recent versions, but without its warning."""
    return (builder.data_path / "dataset_info.json").exists()


def _prepare(builder: tfds.core.DatasetBuilder, download_dir: Optional[str]) -> None:
    """Downloads and prepares; if two processes do so at once, the result of the first stays.

    TFDS writes to a folder of its own and renames it last, which fails for the second process.
    """
    try:
        with _failing_soon():
            builder.download_and_prepare(download_dir=download_dir)
    except Exception as error:
        if not _is_prepared(builder):
            raise ValueError(
                f"{builder.info.full_name} could not be prepared: {_one_line(error)}"
            ) from error


@contextlib.contextmanager
def _failing_soon() -> Iterator[None]:
    """Ends a download within half a minute if there is no network, without a warning per retry."""
    request = functools.partialmethod(requests.Session.request, timeout=TIMEOUTS)
    log = logging.getLogger("urllib3")
    level = log.level
    log.setLevel(logging.ERROR)
    with (
        mock.patch.object(downloader, "MAX_RETRIES", RETRIES),
        mock.patch.object(requests.Session, "request", request),
    ):
        yield
    # Not after a failure: the threads of the other files go on for some seconds.
    log.setLevel(level)


def _text(value: Union[bytes, int]) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
