"""The form in which records of TensorFlow Datasets hold audio.

TFDS stores most audio as integers without their bit depth, some as floats, and some as the original
files. All become float32 in -1..1 here.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple, Union

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow.core.framework.tensor_pb2 import TensorProto

from data.source import check_sample_rate
from data.tfds_records import describe_features
from signals.audio_files import check_finite, decode_audio


class RecordForm(NamedTuple):
    """The form in which a dataset's records hold audio."""

    key: str  # feature that holds it
    is_file: bool  # whether the feature is the content of an audio file, not samples
    rate: int  # of samples, Hz
    full_scale: float  # value of a sample that becomes 1

    def encode(self, audio: tf.Tensor) -> tf.Tensor:
        """One string, so that recordings of any length can be batched for shuffling."""
        return audio if self.is_file else tf.io.serialize_tensor(tf.cast(audio, tf.float32))

    def decode(self, encoded: bytes, name: str) -> Tuple[np.ndarray, int]:
        """float32 ``[samples, channels]`` and their rate in Hz.

        Raises:
            ValueError: the file is damaged; there are no samples, or some are not finite or beyond
                full scale.
        """
        if self.is_file:
            return decode_audio(encoded, name=name)
        values = tf.make_ndarray(TensorProto.FromString(encoded))
        if not values.size:
            raise ValueError(f"{name} has no samples.")
        check_finite(values, name)
        peak = np.abs(values).max()
        if self.full_scale != 1 and peak > self.full_scale:
            raise ValueError(
                f"{name} has a sample of {peak:.0f}, above full_scale={self.full_scale:g}: "
                "data.full_scale=2147483648 reads 32-bit samples."
            )
        return values.reshape(len(values), -1) / np.float32(self.full_scale), self.rate


def record_form(
    builder: tfds.core.DatasetBuilder,
    audio_key: Optional[str],
    record_rate: Optional[int],
    full_scale: Optional[float],
) -> RecordForm:
    """The form of a dataset's records, as stated by the dataset or by the arguments.

    Args:
        builder: of the dataset.
        audio_key: feature that holds the audio; None is the first audio feature.
        record_rate: Hz, for a dataset that does not state it.
        full_scale: value of a sample that becomes 1; None is 32768 for integers, 1 for floats.

    Raises:
        ValueError: no such feature, no sample rate, or an argument is out of range.
    """
    feature = _audio_feature(builder, audio_key)
    key = audio_key or next(k for k, value in builder.info.features.items() if value is feature)
    rate = getattr(feature, "sample_rate", None) if record_rate is None else record_rate
    if rate is None:
        raise ValueError(
            f"{builder.info.full_name} does not state the sample rate of {key!r}: "
            "data.record_rate= gives it, in Hz."
        )
    check_sample_rate("record_rate", rate)
    if full_scale is None:
        full_scale = 32768.0 if np.issubdtype(feature.np_dtype, np.integer) else 1.0
    elif isinstance(full_scale, bool) or not full_scale > 0:
        raise ValueError(f"full_scale={full_scale!r} must be a number above 0.")
    is_file = _is_audio(feature) and feature.to_json_content().lazy_decode
    return RecordForm(key, is_file, rate, float(full_scale))


def _audio_feature(
    builder: tfds.core.DatasetBuilder, audio_key: Optional[str]
) -> Union[tfds.features.Audio, tfds.features.Tensor]:
    """The feature to read: ``audio_key``, which may be plain numbers, or the first of audio."""
    features = builder.info.features
    if audio_key is None:
        found = next((feature for feature in features.values() if _is_audio(feature)), None)
    else:
        found = dict(features.items()).get(audio_key)
        if not (_is_audio(found) or _holds_numbers(found)):
            found = None
    if found is not None:
        return found
    wanted = "no audio feature" if audio_key is None else f"no audio feature {audio_key!r}"
    raise ValueError(
        f"{builder.info.full_name} has {wanted}; its features: {describe_features(builder)}."
    )


def _is_audio(feature: tfds.features.FeatureConnector) -> bool:
    return isinstance(feature, tfds.features.Audio)


def _holds_numbers(feature: tfds.features.FeatureConnector) -> bool:
    """Whether a feature can hold samples: numbers along time and, optionally, channels."""
    return (
        type(feature) is tfds.features.Tensor
        and len(feature.shape) in (1, 2)
        and np.issubdtype(feature.np_dtype, np.number)
    )
