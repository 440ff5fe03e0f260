"""Any dataset of TensorFlow Datasets that has images.

Records are read undecoded and decoded by `signals.image_files`, so that gray, 16-bit, palette and
RGBA images become 8-bit RGB by the same rules as files do.
"""

from __future__ import annotations

import functools
import io
import re
from typing import Iterator, List, Optional, Tuple

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from data.patches import DecodedImages, PatchSampler, decode_all, decoded_bytes, reflected
from data.source import SPLITS, ImageSource, NamedImage, check_split
from data.tfds_records import (
    check_prepared,
    choose_splits,
    encoded_bytes,
    find_builder,
    is_prepared,
    prepare,
    size_of,
)
from signals.image_files import decode_image, decode_size


class TfdsImages(ImageSource):
    """The images of a TFDS dataset, by name.

    Splits: the dataset's own "train", "validation" and "test" where it has them. Either of the
    last two that is missing is a tenth (at least one image) cut from the end of "train", or of the
    dataset's only split, whatever its name. `describe` says which. "all" is the three one after
    another.

    Training images are kept decoded where they fit ``cache_gib``. Otherwise they are streamed (see
    `PatchSampler.from_stream`): resuming then reads up to an epoch of undecoded records, and small
    images are reflected but not counted.
    """

    _name_key: Optional[str] = None  # text feature that names an image, where a subclass knows one

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
        """Finds the dataset and reads its description, no image yet.

        Args:
            name: name of the dataset as TFDS knows it, as "clic" or "name/config".
            patch_size: side of a training patch in pixels.
            data_dir: folder of prepared datasets; null is TFDS's own (``TFDS_DATA_DIR`` or
                ``~/tensorflow_datasets``).
            download: download and prepare the dataset if ``data_dir`` does not hold it.
            image_key: feature that holds the image; null takes the first image feature.
            cache_gib: keep decoded training images in memory up to this size.

        Raises:
            ValueError: no such dataset, configuration or image feature; not prepared and not to
                be downloaded, or the download failed; an argument out of range.
        """
        super().__init__(
            name=re.sub(r"[^\w.]+", "-", str(name)), patch_size=patch_size, cache_gib=cache_gib
        )
        builder = find_builder(name, data_dir)
        self._image_key = _image_feature(builder, image_key)
        if download and not is_prepared(builder):
            self._prepare(builder)
        check_prepared(builder, name)
        self._builder = find_builder(name, data_dir)  # anew, to read what is prepared by now
        self._splits = choose_splits(self._builder)

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `ImageSource`; from memory or streamed, as `describe` says."""
        sampler = PatchSampler(
            patch_shape=self.training_shape, batch_size=batch_size, seed=seed, first_step=first_step
        )
        count = self._size("train")
        if not count:
            raise ValueError(f"{self._builder.info.full_name} has no image to train on.")
        if self._sizes is not None:
            return sampler.from_memory(self._decoded)
        return sampler.from_stream(
            self._records("train").map(lambda record: record[self._image_key]),
            lambda encoded: reflected(
                decode_image(encoded, name=f"a training image of {self.name}"), self.patch_size
            ),
            count=count,
            record_bytes=encoded_bytes(self._builder, self._splits["train"]) / count,
        )

    def images(self, split: str) -> Iterator[NamedImage]:
        """See `ImageSource`; in the order of the records, named by split and number."""
        check_split(split)
        parts = [part for part in SPLITS if split in (part, "all") and self._size(part)]
        return (image for part in parts for image in self._named_images(part))

    def describe(self) -> str:
        """See `ImageSource`; reads the training records once, for their sizes."""
        parts = ", ".join(
            f"{self._size(part)} {part} ({self._splits[part] or 'none'})" for part in SPLITS
        )
        patch = f"{self.patch_size}x{self.patch_size}"
        if self._sizes is None:
            training = f"streamed, decoded at every use; those below {patch} reflected, not counted"
        else:
            small = sum(min(size) < self.patch_size for size in self._sizes)
            mebibytes = decoded_bytes(self._sizes, self.patch_size) / 2**20
            training = (
                f"decoded once and kept in memory ({mebibytes:.0f} MiB), "
                f"{small} of {len(self._sizes)} reflected up to {patch}"
            )
        return (
            f"{self.name}: {parts} images, feature {self._image_key!r} of TFDS "
            f"{self._builder.info.full_name} in {self._builder.data_dir}\n"
            f"training images: {training}"
        )

    def _prepare(self, builder: tfds.core.DatasetBuilder) -> None:
        prepare(builder)

    def _size(self, part: str) -> int:
        return size_of(self._builder, self._splits[part])

    def _records(self, part: str) -> tf.data.Dataset:
        """Records in file order: the encoded image and, where known, its name."""
        features = {self._image_key: True}
        if self._name_key:
            features[self._name_key] = True
        decoders = tfds.decode.PartialDecoding(
            features, decoders={self._image_key: tfds.decode.SkipDecoding()}
        )
        return self._builder.as_dataset(
            split=self._splits[part],
            decoders=decoders,
            shuffle_files=False,
            read_config=tfds.ReadConfig(try_autocache=False, skip_prefetch=True),
        )

    def _named_images(self, part: str) -> Iterator[NamedImage]:
        for index, record in enumerate(self._records(part).as_numpy_iterator()):
            name = f"{part}-{index:06d}"
            if self._name_key:
                name = record[self._name_key].decode()
            yield NamedImage(
                name, decode_image(record[self._image_key], name=f"{self.name} {name}")
            )

    def _encoded_images(self) -> Iterator[bytes]:
        for record in self._records("train").as_numpy_iterator():
            yield record[self._image_key]

    @functools.cached_property
    def _sizes(self) -> Optional[List[Tuple[int, int]]]:
        """Heights and widths of the training images; None where these do not fit the memory.

        Images take less room encoded than decoded, so that a large dataset is not read to know.
        """
        sizes: List[Tuple[int, int]] = []
        if not self._size("train"):
            return sizes
        if encoded_bytes(self._builder, self._splits["train"]) > self._cache_bytes:
            return None
        total = 0
        for encoded in self._encoded_images():
            sizes.append(decode_size(io.BytesIO(encoded), name=f"a training image of {self.name}"))
            total += decoded_bytes(sizes[-1:], self.patch_size)
            if total > self._cache_bytes:
                return None
        return sizes

    @functools.cached_property
    def _decoded(self) -> DecodedImages:
        encoded = list(self._encoded_images())
        return decode_all(
            lambda index: decode_image(
                encoded[index], name=f"training image {index} of {self.name}"
            ),
            self._sizes,
            self.patch_size,
        )


def _image_feature(builder: tfds.core.DatasetBuilder, image_key: Optional[str]) -> str:
    """The feature to read: ``image_key``, or the first that holds single images."""
    features = builder.info.features
    keys = [key for key, feature in features.items() if _holds_images(feature)]
    if image_key is None and keys:
        return keys[0]
    if image_key in keys:
        return image_key
    listed = ", ".join(f"{key} ({type(feature).__name__})" for key, feature in features.items())
    wanted = "no image feature" if image_key is None else f"no image feature {image_key!r}"
    raise ValueError(f"{builder.info.full_name} has {wanted}; its features: {listed}.")


def _holds_images(feature: tfds.features.FeatureConnector) -> bool:
    """Whether a feature is a picture: no map of labels, and no floats stored as PNG bytes."""
    return (
        isinstance(feature, tfds.features.Image)
        and not isinstance(feature, tfds.features.LabeledImage)
        and feature.np_dtype != np.float32
    )
