"""A small TFDS dataset that holds images in every form that TFDS has."""

import numpy as np
import tensorflow_datasets as tfds


class ImageForms(tfds.core.GeneratorBasedBuilder):
    """Twenty images of one colour each, one split."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "number": np.int64,
                    "segments": tfds.features.LabeledImage(labels=3, shape=(None, None, 1)),
                    "depth": tfds.features.Image(shape=(None, None, 1), dtype=np.float32),
                    "gray": tfds.features.Image(shape=(None, None, 1)),
                    "rgba": tfds.features.Image(shape=(None, None, 4)),
                    "deep": tfds.features.Image(shape=(None, None, 1), dtype=np.uint16),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(20):
            shape = (9 + number, 30 - number)
            yield (
                number,
                {
                    "number": number,
                    "segments": np.zeros((*shape, 1), np.uint8),
                    "depth": np.ones((*shape, 1), np.float32),
                    "gray": np.full((*shape, 1), 10 + number, np.uint8),
                    "rgba": np.full((*shape, 4), [100, 150, 200, 51], np.uint8),
                    "deep": np.full((*shape, 1), 256 * (10 + number) + 7, np.uint16),
                },
            )
