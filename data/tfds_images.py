"""Any dataset of TensorFlow Datasets that has images.

Records are read undecoded and decoded by `signals.image_files`, so that gray, 16-bit, palette and
RGBA images become 8-bit RGB by the same rules as files do.
"""

from __future__ import annotations

import functools
import io
from typing import Iterator, List, Optional, Tuple

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from data.patches import (
    DecodedImages,
    PatchSampler,
    decode_all,
    decoded_bytes,
    describe_sizes,
    reflected,
)
from data.source import ImageSource
from data.tfds_records import (
    TfdsRecords,
    describe_features,
    find_builder,
    prepared_builder,
    short_name,
)
from signals.image_files import NamedImage, decode_image, decode_size


class TfdsImages(ImageSource):
    """The images of a TFDS dataset, by name; for splits see `TfdsRecords`.

    Training images are decoded once if they fit into ``cache_gib``. Otherwise they are streamed
    (see `PatchSampler.from_stream`): resuming then reads up to an epoch of undecoded records, and
    small images are reflected but not counted.
    """

    _name_key: Optional[str] = None  # text feature that names an image, if a subclass knows one

    def __init__(
        self,
        *,
        name: str,
        patch_size: int = 128,
        data_dir: Optional[str] = None,
        download: bool = False,
        image_key: Optional[str] = None,
        cache_gib: float = 2.0,
    ):
        """Finds the dataset and reads its description, but no image yet.

        Args:
            name: name of the dataset in TFDS, such as "clic" or "name/config".
            patch_size: side of a training patch in pixels.
            data_dir: folder of prepared datasets; null is TFDS's own (``TFDS_DATA_DIR`` or
                ``~/tensorflow_datasets``).
            download: download and prepare the dataset if ``data_dir`` does not hold it.
            image_key: feature that holds the image; null is the first image feature.
            cache_gib: keep decoded training images in memory up to this size.

        Raises:
            ValueError: no such dataset, configuration or image feature; not prepared and not to be
                downloaded, or the download failed; an argument is out of range.
        """
        super().__init__(name=short_name(name), patch_size=patch_size, cache_gib=cache_gib)
        key = _image_feature(find_builder(name, data_dir), image_key)
        builder = prepared_builder(name, data_dir, download=download)
        self._records = TfdsRecords(builder, key, is_file=True, name_key=self._name_key)

    @property
    def files(self) -> str:
        """See `Source`."""
        return self._records.identity

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `Source`; cached or streamed, as `describe` says."""
        sampler = PatchSampler(
            patch_shape=self.training_shape, batch_size=batch_size, seed=seed, first_step=first_step
        )
        self._records.check_training("image")
        if self._sizes is not None:
            return sampler.from_memory(self._decoded)
        name, count = f"a training image of {self.name}", self._records.size("train")
        return sampler.from_stream(
            self._records.encoded("train"),
            lambda encoded: reflected(decode_image(encoded, name=name), self.patch_size),
            count=count,
            record_bytes=self._records.training_bytes / count,
        )

    def images(self, split: str) -> Iterator[NamedImage]:
        """See `ImageSource`; in the order of the records, named by split and number."""
        return (
            NamedImage(name, decode_image(encoded, name=f"{self.name} {name}"))
            for name, encoded in self._records.named(split)
        )

    def describe(self) -> str:
        """See `Source`; reads the training records once, for their sizes."""
        if self._sizes is None:
            patch = f"{self.patch_size}x{self.patch_size}"
            kept = f"streamed, decoded at every use; those below {patch} reflected, not counted"
        else:
            sizes = describe_sizes(self._sizes, self.patch_size)
            kept = f"decoded once and kept in memory {sizes}"
        return f"{self.name}: {self._records.describe('image')}\ntraining images: {kept}"

    @functools.cached_property
    def _sizes(self) -> Optional[List[Tuple[int, int]]]:
        """Heights and widths of the training images; None if these do not fit into memory.

        Images are smaller encoded than decoded, so a large dataset need not be read to know.
        """
        if self._records.training_bytes > self._cache_bytes:
            return None
        sizes: List[Tuple[int, int]] = []
        total = 0
        for encoded in self._records.encoded("train").as_numpy_iterator():
            sizes.append(decode_size(io.BytesIO(encoded), name=f"a training image of {self.name}"))
            total += decoded_bytes(sizes[-1:], self.patch_size)
            if total > self._cache_bytes:
                return None
        return sizes

    @functools.cached_property
    def _decoded(self) -> DecodedImages:
        encoded = list(self._records.encoded("train").as_numpy_iterator())

        def load(index: int):
            return decode_image(encoded[index], name=f"training image {index} of {self.name}")

        return decode_all(load, self._sizes, self.patch_size)


def _image_feature(builder: tfds.core.DatasetBuilder, image_key: Optional[str]) -> str:
    """The feature to read: ``image_key``, or the first that holds single images."""
    features = builder.info.features.items()
    keys = [key for key, feature in features if _holds_images(feature)]
    if image_key is None and keys:
        return keys[0]
    if image_key in keys:
        return image_key
    wanted = "no image feature" if image_key is None else f"no image feature {image_key!r}"
    raise ValueError(
        f"{builder.info.full_name} has {wanted}; its features: {describe_features(builder)}."
    )


def _holds_images(feature: tfds.features.FeatureConnector) -> bool:
    """Whether a feature is an image, not a map of labels and not floats stored as PNG bytes."""
    return (
        isinstance(feature, tfds.features.Image)
        and not isinstance(feature, tfds.features.LabeledImage)
        and feature.np_dtype != np.float32
    )
