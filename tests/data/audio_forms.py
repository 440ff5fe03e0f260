"""A small TFDS dataset that holds each of its recordings in every form that TFDS has."""

import io
import os

import numpy as np
import soundfile
import tensorflow_datasets as tfds

SPEAKERS = ("george", "jackson", "nicolas", "theo", "yweweler")


def recording(number):
    """int16 samples of the recording of a number; each has another length."""
    generator = np.random.default_rng(number)
    return generator.integers(-9000, 9000, 400 + 90 * number).astype(np.int16)


class AudioForms(tfds.core.GeneratorBasedBuilder):
    """Twenty recordings by five speakers, one split."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        audio = tfds.features.Audio
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "audio": audio(sample_rate=8000),
                    "audio/filename": tfds.features.Text(),
                    "id": tfds.features.Text(),
                    "label": np.int64,
                    "floats": audio(dtype=np.float32, sample_rate=8000),
                    "stereo": audio(shape=(None, 2), dtype=np.int16, sample_rate=8000),
                    "deep": audio(dtype=np.int32, sample_rate=8000),
                    "file": audio(
                        file_format="flac", dtype=np.int16, sample_rate=16000, lazy_decode=True
                    ),
                    "numbers": tfds.features.Tensor(shape=(None,), dtype=np.float32),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(20):
            samples = recording(number)
            flac = io.BytesIO()
            soundfile.write(flac, samples, 16000, format="FLAC")
            flac.seek(0)
            floats = (samples / 32768).astype(np.float32)
            speaker = number % 5
            yield (
                number,
                {
                    "audio": samples.astype(np.int64),
                    "audio/filename": f"{number // 5}_{SPEAKERS[speaker]}_{number}.wav",
                    "id": str(number),
                    "label": speaker,
                    "floats": floats,
                    "stereo": np.stack([samples, np.round(-0.5 * samples)], 1).astype(np.int16),
                    "deep": samples.astype(np.int32) * 65536,
                    "file": flac,
                    "numbers": floats,
                },
            )


class FetchedAudioForms(AudioForms):
    """Keeps where its archives would be."""

    VERSION = tfds.core.Version("1.0.0")
    download_dir = None

    def _split_generators(self, dl_manager):
        FetchedAudioForms.download_dir = os.fspath(dl_manager.download_dir)
        return super()._split_generators(dl_manager)


class UnreachableAudioForms(AudioForms):
    """A dataset whose download fails."""

    VERSION = tfds.core.Version("1.0.0")

    def _split_generators(self, dl_manager):
        raise ConnectionError("no route\nto host")
