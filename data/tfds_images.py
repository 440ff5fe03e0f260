"""Any dataset of TensorFlow Datasets that has images.

Records are read undecoded and decoded by `data.image_files`, so that gray, 16-bit, palette and
RGBA images become 8-bit RGB by the same rules as files do.
"""

from __future__ import annotations

import difflib
import functools
import io
import re
from typing import Dict, Iterator, List, Optional, Tuple

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.utils import gcs_utils

from data.image_files import decode_image, decode_size
from data.patches import DecodedImages, PatchSampler, decode_all, decoded_bytes
from data.source import SPLITS, ImageSource, NamedImage, check_split


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
        builder = _find_builder(name, data_dir)
        self._image_key = _image_feature(builder, image_key)
        if not _is_prepared(builder):
            if not download:
                raise ValueError(
                    f"name={name!r} is not prepared in {builder.data_dir}: "
                    "data.download=true downloads and prepares it."
                )
            self._prepare(builder)
        self._builder = _find_builder(name, data_dir)  # anew, to read what is prepared by now
        self._splits = _choose_splits(self._builder)

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `ImageSource`; from memory or streamed, as `describe` says."""
        sampler = PatchSampler(
            patch_size=self.patch_size, batch_size=batch_size, seed=seed, first_step=first_step
        )
        count = self._size("train")
        if not count:
            raise ValueError(f"{self._builder.info.full_name} has no image to train on.")
        if self._sizes is not None:
            return sampler.from_memory(self._decoded)
        return sampler.from_stream(
            self._records("train").map(lambda record: record[self._image_key]),
            lambda encoded: decode_image(encoded, name=f"a training image of {self.name}"),
            count=count,
            record_bytes=self._encoded_bytes / count,
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
        """Downloads and prepares; where two processes do so at once, the first one's result stays.

        TFDS writes to a folder of its own and renames it last, which fails for the second process.
        """
        try:
            builder.download_and_prepare()
        except Exception as error:
            if not _is_prepared(builder):
                raise ValueError(
                    f"{builder.info.full_name} could not be prepared: {_one_line(error)}"
                ) from error

    def _size(self, part: str) -> int:
        split = self._splits[part]
        return self._builder.info.splits[split].num_examples if split else 0

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

    @property
    def _encoded_bytes(self) -> float:
        """Approximate bytes of the training records: a slice's share of its split."""
        whole = self._builder.info.splits[self._splits["train"].split("[")[0]]
        return whole.num_bytes * self._size("train") / whole.num_examples

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
        if self._encoded_bytes > self._cache_bytes:
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


def _find_builder(name: str, data_dir: Optional[str]) -> tfds.core.DatasetBuilder:
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
        raise ValueError(f"name={name!r} cannot be loaded: {_one_line(error)}") from error


def _is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    """As the builder's own method in recent versions, but without a warning where it is not."""
    return (builder.data_path / "dataset_info.json").exists()


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


def _choose_splits(builder: tfds.core.DatasetBuilder) -> Dict[str, Optional[str]]:
    """TFDS's name or slice for each split; None for one without images."""
    own = builder.info.splits
    if "train" not in own and len(own) != 1:
        raise ValueError(
            f"{builder.info.full_name} has no split 'train'; its splits: {', '.join(own)}."
        )
    base = "train" if "train" in own else next(iter(own))
    chosen: Dict[str, Optional[str]] = {
        split: split if split in own and split != base else None for split in SPLITS
    }
    end = own[base].num_examples
    tenth = max(1, end // 10)
    for split in ("test", "validation"):
        if chosen[split] is None and end > tenth:
            chosen[split] = f"{base}[{end - tenth}:{end}]"
            end -= tenth
    chosen["train"] = base if end == own[base].num_examples else f"{base}[:{end}]"
    return chosen


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
