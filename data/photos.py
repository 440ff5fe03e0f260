"""The default data: nine colour photographs that scikit-image ships, as a TFDS dataset.

The files are read from the installed scikit-image package. Its own loading functions are avoided,
because they may download files that the wheel does not contain.
"""

from __future__ import annotations

import importlib.util
import pathlib
from typing import Dict, Iterator, Optional, Tuple

import tensorflow_datasets as tfds

from data.tfds_images import TfdsImages
from data.tfds_records import prepare_quietly

# Both views of the motorcycle show one scene, so they stay in one split.
_FILES = {
    "train": (
        "astronaut.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "motorcycle_left.png",
        "motorcycle_right.png",
        "retina.jpg",
    ),
    "validation": ("rocket.jpg",),
    "test": ("chelsea.png", "coffee.png"),
}

_DESCRIPTION = """
Nine colour photographs from the data folder of scikit-image, split by scene: a set small enough to
come with a library, for demonstrations and tests. Sources, as scikit-image states them:

* astronaut: Eileen Collins, NASA Great Images database; public domain.
* chelsea: Stefan van der Walt; CC0.
* coffee: Rachel Michetti, courtesy of Pikolo Espresso Bar; CC0.
* hubble_deep_field: Hubble eXtreme Deep Field, NASA; public domain.
* ihc: colonic glands, Center for Microscopy And Molecular Imaging; no known restrictions.
* motorcycle_left, motorcycle_right: Middlebury 2014 stereo benchmark, downsampled by 4; credit to
  D. Scharstein, H. Hirschmueller, Y. Kitajima, G. Krathwohl, N. Nesic, X. Wang, P. Westling.
* retina: Mikael Haggstrom, Medical gallery of Mikael Haggstrom 2014; CC0.
* rocket: DSCOVR on Falcon 9, SpaceX; public domain.
"""

_CITATION = """
@article{scikit-image,
  title = {scikit-image: image processing in Python},
  author = {van der Walt, Stefan and others},
  journal = {PeerJ}, volume = {2}, pages = {e453}, year = {2014}, doi = {10.7717/peerj.453}
}
"""


class Photos(tfds.core.GeneratorBasedBuilder):
    """TFDS builder of the photographs; registered with TFDS as "photos"."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Nine photographs, split by scene."}  # noqa: RUF012 (TFDS's form)

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {"image": tfds.features.Image(), "name": tfds.features.Text()}
            ),
            homepage="https://scikit-image.org/docs/stable/api/skimage.data.html",
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> Dict[str, Iterator]:
        """Reads the installed files; nothing is downloaded."""
        del dl_manager
        return {split: self._generate_examples(names) for split, names in _FILES.items()}

    def _generate_examples(self, file_names: Tuple[str, ...]) -> Iterator[Tuple[str, Dict]]:
        package = importlib.util.find_spec("skimage")
        if package is None:
            raise ModuleNotFoundError("The photographs come with scikit-image: install it.")
        folder = pathlib.Path(package.submodule_search_locations[0]) / "data"
        for file_name in file_names:
            name = pathlib.PurePath(file_name).stem
            yield name, {"image": folder / file_name, "name": name}


class PhotosImages(TfdsImages):
    """The photographs as a source: six to train on, one to validate and two to test."""

    _name_key = "name"

    def __init__(
        self, *, patch_size: int = 128, data_dir: Optional[str] = None, cache_gib: float = 2.0
    ):
        """Prepares the dataset on first use, which takes about a second; otherwise `TfdsImages`.

        Raises:
            ValueError: the dataset cannot be written to ``data_dir``; an argument is out of range.
        """
        prepare_quietly("photos", data_dir, "Writing the photographs", __name__)
        super().__init__(
            name="photos", patch_size=patch_size, data_dir=data_dir, cache_gib=cache_gib
        )
