"""Image formats that Pillow codes.

Each states its encoder options, because they shift a curve by more than many learned codecs gain:
JPEG's optimised Huffman tables alone save a tenth of small files. Chroma is subsampled 4:2:0 in
JPEG, WebP, AVIF and HEIC, their encoders' default; JPEG 2000 and JPEG XL keep 4:4:4. Rates are of
whole files, headers included.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import io
from typing import Any, Dict, Sequence, Tuple

import numpy as np
from PIL import Image as PillowImage
from PIL import features

from evaluation.classical.codec import ClassicalCodec, Coded
from evaluation.media import IMAGE

QUALITIES = (5, 10, 20, 35, 50, 65, 80, 90, 95)
"""A ladder from 0.1 to 2 bpp for JPEG and WebP."""


@dataclasses.dataclass(frozen=True)
class PillowFormat(ClassicalCodec):
    """An image format with one integer setting.

    Attributes:
        format: Pillow's name of the format.
        libraries: what Pillow codes with, by the names of ``PIL.features``; the first is required.
        plugin: module that adds the format to Pillow; empty for what Pillow has itself.
        package: of the plugin, by its name on PyPI.
    """

    medium = IMAGE

    format: str
    libraries: Tuple[str, ...] = ()
    plugin: str = ""
    package: str = ""

    def encode(self, file: Any, setting: int) -> Coded:
        self.require()
        data = io.BytesIO()
        image = PillowImage.fromarray(file.pixels)
        image.save(data, self.format, **self.arguments(setting), **self.options)
        return Coded((data.getvalue(),), len(data.getvalue()))

    def decode(self, files: Sequence[bytes], original: Any) -> np.ndarray:
        """uint8 [height, width, 3]; see `ClassicalCodec`."""
        self.require()
        with PillowImage.open(io.BytesIO(files[0]), formats=[self.format]) as image:
            return np.array(image.convert("RGB"))

    def arguments(self, setting: int) -> Dict[str, Any]:
        """The setting as Pillow's encoder takes it."""
        return {"quality": setting}

    def require(self) -> None:
        if self.plugin:
            try:
                importlib.import_module(self.plugin)
            except ImportError as error:
                raise ValueError(
                    f"codec {self.name!r} needs the package {self.package}: "
                    "pip install -e '.[codecs]'"
                ) from error
        elif not features.check(self.libraries[0]):
            raise ValueError(
                f"codec {self.name!r} needs a Pillow with {self.libraries[0]}: Pillow "
                f"{PillowImage.__version__} here has none, wheels from 11.3 on do"
            )

    def versions(self) -> Dict[str, str]:
        found = {"pillow": PillowImage.__version__}
        found.update(
            (library, str(features.version(library)))
            for library in self.libraries
            if features.check(library)
        )
        if self.plugin:
            found[self.package] = importlib.metadata.version(self.package)
        return found
