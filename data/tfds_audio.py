"""Any dataset of TensorFlow Datasets that has audio."""

from __future__ import annotations

import functools
from typing import Iterator, List, Mapping, Optional

import numpy as np
import tensorflow as tf

from data.segments import (
    Rows,
    describe_form,
    join_rows,
    padded,
    segment_sampler,
    training_form,
)
from data.source import SPLITS, AudioSource
from data.speaker_split import SpeakerSplit
from data.tfds_audio_form import record_form
from data.tfds_records import TfdsRecords, find_builder, prepared_builder, short_name
from signals.audio_files import NamedRecording

# TFDS writes an integer as a varint of at most ten bytes; floats and compressed audio take less.
_MOST_BYTES_PER_SAMPLE = 10


class TfdsAudio(AudioSource):
    """The recordings of a TFDS dataset, by name; for splits see `TfdsRecords`.

    Training recordings are decoded once if they fit into ``cache_gib``. Otherwise they are streamed
    (see `PatchSampler.from_stream`): an epoch then takes one segment of each recording, from a
    random channel; resuming reads up to an epoch of records, and padded and silent ones are not
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
        """Finds the dataset and reads its description, but no recording yet.

        Args:
            name: name of the dataset in TFDS, such as "ljspeech" or "name/config".
            sample_rate: of training segments, Hz; recordings of another rate are resampled.
            segment: length of a training segment in samples.
            data_dir: folder of prepared datasets; null is TFDS's own (``TFDS_DATA_DIR`` or
                ``~/tensorflow_datasets``).
            download: download and prepare the dataset if ``data_dir`` does not hold it.
            download_dir: where archives are downloaded and extracted, and looked for first; null is
                TFDS's own.
            audio_key: feature that holds the audio; null is the first audio feature.
            name_key: feature that names a recording; null numbers them.
            record_rate: Hz of the recordings, for a dataset that does not state it.
            full_scale: value of a record that becomes 1; null is 32768 (16 bits) for integers
                and 1 for floats.
            splits: TFDS's name or slice for "train", "validation" or "test", if it is another one.
            speakers: splits by speaker what ``splits`` trains on.
            cache_gib: keep decoded training recordings in memory up to this size.

        Raises:
            ValueError: no such dataset, configuration, split, speaker or feature; not prepared and
                not to be downloaded, or the download failed; an argument is out of range.
        """
        super().__init__(
            name=short_name(name), sample_rate=sample_rate, segment=segment, cache_gib=cache_gib
        )
        unknown = sorted(set(splits or {}) - set(SPLITS))
        if unknown:
            raise ValueError(f"splits: {unknown[0]!r} must be one of {', '.join(SPLITS)}.")
        if speakers and any((splits or {}).get(split) for split in ("validation", "test")):
            raise ValueError(f"splits={dict(splits)!r} may name only train together with speakers.")
        builder = find_builder(name, data_dir)
        self._form = record_form(builder, audio_key, record_rate, full_scale)
        for argument, key in (("name_key", name_key), ("speakers.key", speakers and speakers.key)):
            if key is not None and key not in builder.info.features:
                raise ValueError(
                    f"{argument}={key!r} is no feature of {builder.info.full_name}, which has "
                    f"{', '.join(builder.info.features)}."
                )
        self._records = TfdsRecords(
            prepared_builder(name, data_dir, download=download, download_dir=download_dir),
            self._form.key,
            is_file=self._form.is_file,
            encode=self._form.encode,
            name_key=name_key,
            splits=splits,
            speakers=speakers,
        )

    @property
    def files(self) -> str:
        """See `Source`."""
        return self._records.identity

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `Source`; cached or streamed, as `describe` says."""
        sampler = segment_sampler(
            segment=self.segment, batch_size=batch_size, seed=seed, first_step=first_step
        )
        self._records.check_training("recording")
        if self._rows is not None:
            return sampler.from_memory(self._rows.images)

        def training_rows(encoded: bytes) -> np.ndarray:
            samples, rate = self._form.decode(encoded, f"a training recording of {self.name}")
            rows = training_form(samples, rate, sample_rate=self.sample_rate)
            return padded(rows, self.segment)[:, :, np.newaxis]

        count = self._records.size("train")
        return sampler.from_stream(
            self._records.encoded("train"),
            training_rows,
            count=count,
            record_bytes=self._records.training_bytes / count,
        )

    def recordings(self, split: str) -> Iterator[NamedRecording]:
        """See `AudioSource`; in the order of the records."""
        return (
            NamedRecording(name, *self._form.decode(encoded, f"{self.name} {name}"))
            for name, encoded in self._records.named(split)
        )

    def describe(self) -> str:
        """See `Source`; reads the training records once if they are cached."""
        if self._rows is None:
            kept = "streamed, decoded at every use; padded and silent ones not counted"
        else:
            kept = self._rows.describe()
        form = describe_form(self.sample_rate, self.segment)
        return (
            f"{self.name}: {self._records.describe('recording')}\n"
            f"training recordings: {kept}; {form}"
        )

    @functools.cached_property
    def _rows(self) -> Optional[Rows]:
        """The training recordings; None if they do not fit into memory.

        A large dataset need not be read to know: the size of its records bounds their samples.
        """
        least_samples = self._records.training_bytes / _MOST_BYTES_PER_SAMPLE
        if 4 * least_samples * self.sample_rate / self._form.rate > self._cache_bytes:
            return None
        forms: List[np.ndarray] = []
        total = 0
        for recording in self.recordings("train"):
            forms.append(training_form(*recording[1:], sample_rate=self.sample_rate))
            channels, length = forms[-1].shape
            total += 4 * channels * max(length, self.segment)
            if total > self._cache_bytes:
                return None
        return join_rows(forms, self.segment)
