"""Any dataset of TensorFlow Datasets that has sounds."""

from __future__ import annotations

import functools
import re
from typing import Dict, Iterator, List, Mapping, Optional, Union

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from data.audio_source import AudioSource, NamedRecording
from data.segments import (
    Rows,
    describe_form,
    describe_rows,
    join_rows,
    padded,
    segment_sampler,
    training_form,
)
from data.source import SPLITS, check_split
from data.speaker_split import SpeakerSplit
from data.tfds_records import (
    check_prepared,
    choose_splits,
    encoded_bytes,
    find_builder,
    is_prepared,
    prepare,
    size_of,
    trained_on,
)
from data.tfds_sound_form import record_form

# TFDS writes an integer as a varint, at most ten bytes; floats and compressed sounds take less.
_MOST_BYTES_PER_SAMPLE = 10


class TfdsAudio(AudioSource):
    """The sounds of a TFDS dataset, by name.

    Splits: by speaker where ``speakers`` says how. Else those that ``splits`` names, then the
    dataset's own "train", "validation" and "test". Either of the last two that is missing is a
    tenth (at least one recording) cut from the end of what is trained on. `describe` says which.
    "all" is the three one after another.

    Training recordings are kept decoded where they fit ``cache_gib``. Otherwise they are streamed
    (see `PatchSampler.from_stream`): an epoch then takes one segment of each recording, from a
    random channel; resuming reads up to an epoch of records, and what is padded or silent is not
    counted.
    """

    def __init__(
        self,
        *,
        name: str,
        sample_rate: int,
        segment: int,
        data_dir: Optional[str] = None,
        download: bool = False,
        download_dir: Optional[str] = None,
        audio_key: Optional[str] = None,
        name_key: Optional[str] = None,
        record_rate: Optional[int] = None,
        full_scale: Optional[float] = None,
        splits: Optional[Mapping[str, Optional[str]]] = None,
        speakers: Optional[SpeakerSplit] = None,
        cache_gib: float = 2.0,
    ):
        """Finds the dataset and reads its description, no sound yet.

        Args:
            name: name of the dataset as TFDS knows it, as "ljspeech" or "name/config".
            sample_rate: of training segments, Hz; recordings of another rate are resampled.
            segment: length of a training segment in samples.
            data_dir: folder of prepared datasets; null is TFDS's own (``TFDS_DATA_DIR`` or
                ``~/tensorflow_datasets``).
            download: download and prepare the dataset if ``data_dir`` does not hold it.
            download_dir: where archives are downloaded to and extracted, and looked for first;
                null is TFDS's own.
            audio_key: feature that holds the sound; null takes the first audio feature.
            name_key: feature that names a recording; null numbers them.
            record_rate: Hz of the recordings, for a dataset that does not state it.
            full_scale: value of a record that becomes 1; null is 32768 (16 bits) for integers
                and 1 for floats.
            splits: TFDS's name or slice for "train", "validation", "test", where not of that name.
            speakers: splits by speaker, of what ``splits`` trains on.
            cache_gib: keep decoded training recordings in memory up to this size.

        Raises:
            ValueError: no such dataset, configuration, split, speaker or feature; not prepared
                and not to be downloaded, or the download failed; an argument out of range.
        """
        super().__init__(
            name=re.sub(r"[^\w.]+", "-", str(name)),
            sample_rate=sample_rate,
            segment=segment,
            cache_gib=cache_gib,
        )
        unknown = sorted(set(splits or {}) - set(SPLITS))
        if unknown:
            raise ValueError(f"splits: {unknown[0]!r} must be one of {', '.join(SPLITS)}.")
        if speakers and any((splits or {}).get(split) for split in ("validation", "test")):
            raise ValueError(f"splits={dict(splits)!r} may name train alone beside speakers.")
        self._download_dir = download_dir
        builder = find_builder(name, data_dir)
        self._form = record_form(builder, audio_key, record_rate, full_scale)
        for argument, key in (
            ("name_key", name_key),
            ("speakers.key", speakers.key if speakers else None),
        ):
            _check_feature(builder, argument, key)
        if download and not is_prepared(builder):
            self._prepare(builder)
        check_prepared(builder, name)
        self._builder = find_builder(name, data_dir)  # anew, to read what is prepared by now
        self._name_key = name_key
        self._speakers = speakers
        self._splits = choose_splits(self._builder, splits)
        self._members: Dict[str, Optional[np.ndarray]] = dict.fromkeys(SPLITS)
        if speakers:
            self._splits = dict.fromkeys(SPLITS, trained_on(self._builder, splits))
            self._members = dict(speakers.members(self._texts(speakers.key)))

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `Source`; from memory or streamed, as `describe` says."""
        sampler = segment_sampler(
            segment=self.segment, batch_size=batch_size, seed=seed, first_step=first_step
        )
        count = self._size("train")
        if not count:
            raise ValueError(f"{self._builder.info.full_name} has no recording to train on.")
        if self._rows is not None:
            return sampler.from_memory(self._rows.images)

        def segment_image(encoded: bytes) -> np.ndarray:
            samples, rate = self._form.decode(encoded, f"a training recording of {self.name}")
            rows = training_form(samples, rate, sample_rate=self.sample_rate)
            return padded(rows, self.segment)[:, :, np.newaxis]

        return sampler.from_stream(
            self._records("train").map(lambda record: record["audio"]),
            segment_image,
            count=count,
            record_bytes=self._encoded_bytes / count,
        )

    def recordings(self, split: str) -> Iterator[NamedRecording]:
        """See `AudioSource`; in the order of the records."""
        check_split(split)
        parts = [part for part in SPLITS if split in (part, "all") and self._size(part)]
        return (recording for part in parts for recording in self._named_recordings(part))

    def describe(self) -> str:
        """See `Source`; reads the training records once, where they are kept."""
        parts = ", ".join(f"{self._size(part)} {part} ({self._origin_of(part)})" for part in SPLITS)
        if self._rows is None:
            kept = "streamed, decoded at every use; padded and silent ones not counted"
        else:
            kept = describe_rows(self._rows)
        return (
            f"{self.name}: {parts} recordings, feature {self._form.key!r} of TFDS "
            f"{self._builder.info.full_name} in {self._builder.data_dir}\n"
            f"training recordings: {kept}; {describe_form(self.sample_rate, self.segment)}"
        )

    def _prepare(self, builder: tfds.core.DatasetBuilder) -> None:
        prepare(builder, download_dir=self._download_dir)

    def _size(self, part: str) -> int:
        members = self._members[part]
        return size_of(self._builder, self._splits[part]) if members is None else int(members.sum())

    def _origin_of(self, part: str) -> str:
        if self._speakers:
            return f"{self._splits[part]}, {self._speakers.describe(part)}"
        return self._splits[part] or "none"

    def _read(self, split: str, features: List[str]) -> tf.data.Dataset:
        """Records in file order, as the files have them; sounds that are files stay files."""
        lazy = {self._form.key: tfds.decode.SkipDecoding()} if self._form.is_file else {}
        return self._builder.as_dataset(
            split=split,
            decoders=tfds.decode.PartialDecoding(
                dict.fromkeys(features, True),
                decoders={key: how for key, how in lazy.items() if key in features},
            ),
            shuffle_files=False,
            read_config=tfds.ReadConfig(try_autocache=False, skip_prefetch=True),
        )

    def _texts(self, key: str) -> List[str]:
        records = self._read(self._splits["train"], [key]).as_numpy_iterator()
        return [_text(record[key]) for record in records]

    def _records(self, part: str) -> tf.data.Dataset:
        """The encoded ``audio``, a string, and where known the ``name`` of each recording."""
        keys = [key for key in (self._form.key, self._name_key) if key]
        records = self._read(self._splits[part], keys)
        if self._members[part] is not None:
            belongs = tf.constant(self._members[part])
            records = records.enumerate().filter(lambda index, _: belongs[index])
            records = records.map(lambda _, record: record)

        def encoded(record: Mapping[str, tf.Tensor]) -> Dict[str, tf.Tensor]:
            chosen = {"audio": self._form.encode(record[self._form.key])}
            if self._name_key:
                chosen["name"] = record[self._name_key]
            return chosen

        return records.map(encoded)

    def _named_recordings(self, part: str) -> Iterator[NamedRecording]:
        for index, record in enumerate(self._records(part).as_numpy_iterator()):
            name = _text(record["name"]) if self._name_key else f"{part}-{index:06d}"
            samples, rate = self._form.decode(record["audio"], f"{self.name} {name}")
            yield NamedRecording(name, samples, rate)

    @property
    def _encoded_bytes(self) -> float:
        """Approximate bytes of the training records."""
        split = self._splits["train"]
        share = self._size("train") / max(1, size_of(self._builder, split))
        return share * encoded_bytes(self._builder, split)

    @functools.cached_property
    def _rows(self) -> Optional[Rows]:
        """The training recordings; None where they do not fit the memory.

        A large dataset is not read to know that: its records' size bounds its samples from below.
        """
        least_samples = self._encoded_bytes / _MOST_BYTES_PER_SAMPLE
        if 4 * least_samples * self.sample_rate / self._form.rate > self._cache_bytes:
            return None
        forms: List[np.ndarray] = []
        total = 0
        for recording in self._named_recordings("train"):
            forms.append(training_form(*recording[1:], sample_rate=self.sample_rate))
            channels, length = forms[-1].shape
            total += 4 * channels * max(length, self.segment)
            if total > self._cache_bytes:
                return None
        return join_rows(forms, self.segment)


def _check_feature(builder: tfds.core.DatasetBuilder, argument: str, key: Optional[str]) -> None:
    if key is not None and key not in builder.info.features:
        raise ValueError(
            f"{argument}={key!r} is no feature of {builder.info.full_name}, which has "
            f"{', '.join(builder.info.features)}."
        )


def _text(value: Union[bytes, int]) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
