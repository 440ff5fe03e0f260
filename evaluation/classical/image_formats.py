"""Classical image formats, each with one integer setting that more bits follow.

What an encoder is asked for is stated here, because it moves a curve by more than many a learned
codec gains: JPEG's optimised Huffman tables alone save a tenth on small files.

Chroma is subsampled 4:2:0 in JPEG, WebP, AVIF and HEIC, as their encoders have it by default; JPEG
2000 and JPEG XL keep 4:4:4. Rates are of whole files, headers included.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import io
from typing import Any, Dict, Mapping, Tuple

import numpy as np
from PIL import Image as PillowImage
from PIL import features

# Dense where learned codecs work, 0.1 to 2 bpp.
LADDER_QUALITIES = (5, 10, 20, 35, 50, 65, 80, 90, 95)


@dataclasses.dataclass(frozen=True)
class ClassicalCodec:
    """A file format with one integer setting.

    Attributes:
        name: as legends show it.
        lowest: setting of the smallest file.
        highest: setting of the largest file.
        options: of Pillow's encoder, beside the setting.
        format: Pillow's name of the format; empty where it is ``name``.
        ladder: settings of a curve.
        library: what Pillow codes with, as ``PIL.features`` knows it, for its version.
        plugin: module that brings the format to Pillow; empty for what Pillow has itself.
    """

    name: str
    lowest: int
    highest: int
    options: Mapping[str, Any]
    format: str = ""
    ladder: Tuple[int, ...] = LADDER_QUALITIES
    library: str = ""
    plugin: str = ""

    def encode(self, pixels: np.ndarray, quality: int) -> bytes:
        """The whole file of uint8 pixels [height, width, 3].

        Raises:
            ValueError: the format needs a package that is not installed.
        """
        self.require()
        file = io.BytesIO()
        picture = PillowImage.fromarray(pixels)
        picture.save(file, self._format, **self.settings(quality), **self.options)
        return file.getvalue()

    def decode(self, data: bytes) -> np.ndarray:
        """uint8 [height, width, 3].

        Raises:
            ValueError: the format needs a package that is not installed.
        """
        self.require()
        with PillowImage.open(io.BytesIO(data), formats=[self._format]) as image:
            return np.array(image.convert("RGB"))

    def settings(self, quality: int) -> Dict[str, Any]:
        """What the encoder is told for a setting."""
        return {"quality": quality}

    def require(self) -> None:
        """Readies what the format needs.

        Raises:
            ValueError: it is not installed; names the package.
        """
        if self.plugin:
            try:
                plugin = importlib.import_module(self.plugin)
            except ImportError as error:
                raise ValueError(
                    f"codec {self.name!r} needs the package {_PACKAGES[self.plugin]}: "
                    "pip install -e '.[codecs]'"
                ) from error
            register = getattr(plugin, "register_heif_opener", None)  # The other does so itself.
            if register is not None and self._format not in PillowImage.SAVE:
                register()
        elif self.library and not features.check(self.library):
            raise ValueError(
                f"codec {self.name!r} needs a Pillow with {self.library}: Pillow "
                f"{PillowImage.__version__} here has none, the wheels from 11.3 on have"
            )

    def versions(self) -> Dict[str, str]:
        """Of Pillow and of what codes for it."""
        found = {"pillow": PillowImage.__version__}
        if self.library:
            found[self.library] = str(features.version(self.library))
        if self.library == "jpg" and features.check("libjpeg_turbo"):
            found["libjpeg_turbo"] = str(features.version("libjpeg_turbo"))
        if self.plugin:
            found[_PACKAGES[self.plugin]] = importlib.metadata.version(_PACKAGES[self.plugin])
        if self.plugin == "pillow_heif":
            information = importlib.import_module(self.plugin).libheif_info()
            found["libheif"] = str(information["libheif"])
            found["encoder"] = str(information["HEIF"])
        return found

    @property
    def description(self) -> str:
        """One line: what coded, asked for what."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions().items())
        told = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name} through {versions}" + (f"; {told}" if told else "")

    @property
    def _format(self) -> str:
        return self.format or self.name


class FixedRate(ClassicalCodec):
    """JPEG 2000, whose setting is the wanted rate in hundredths of a bit per pixel.

    Every picture gets the same rate, as in the published curve, while all other formats give a
    picture the bits that its quality takes. That flatters the mean over pictures: asked for one
    PSNR in all 24 photographs of Kodak instead, the same encoder needs 24 % more bits for the same
    mean PSNR.
    """

    def settings(self, quality: int) -> Dict[str, Any]:
        """The encoder wants the compression ratio to 24 bits per pixel."""
        return {"quality_mode": "rates", "quality_layers": [24 / (quality / 100)]}


_PACKAGES = {"pillow_jxl": "pillow-jxl-plugin", "pillow_heif": "pillow-heif"}

JPEG = ClassicalCodec("JPEG", lowest=1, highest=100, options={"optimize": True}, library="jpg")
WEBP = ClassicalCodec("WebP", lowest=0, highest=100, options={"method": 6}, library="webp")
JPEG_2000 = FixedRate(
    "JPEG 2000",
    lowest=5,
    highest=800,
    # Without the colour transform (mct) a file of equal PSNR is more than twice as large.
    options={"irreversible": True, "mct": 1},
    format="JPEG2000",
    ladder=(10, 20, 30, 50, 75, 100, 150, 200, 300),
    library="jpg_2000",
)
AVIF = ClassicalCodec(
    "AVIF",
    lowest=0,
    highest=100,
    options={"speed": 6, "subsampling": "4:2:0", "max_threads": 1},
    ladder=(5, 15, 30, 45, 60, 75, 85, 92),
    library="avif",
)
JPEG_XL = ClassicalCodec(
    "JPEG XL",
    lowest=0,
    highest=99,  # 100 is lossless.
    options={"effort": 7, "num_threads": 1},
    format="JXL",
    ladder=(5, 15, 30, 50, 65, 78, 87, 93),
    plugin="pillow_jxl",
)
HEIC = ClassicalCodec(
    "HEIC",
    lowest=0,
    highest=100,
    options={"chroma": "420"},
    format="HEIF",
    ladder=(6, 12, 18, 26, 34, 42, 50, 60),
    plugin="pillow_heif",
)

CLASSICAL: Dict[str, ClassicalCodec] = {
    "jpeg": JPEG,
    "webp": WEBP,
    "jpeg2000": JPEG_2000,
    "avif": AVIF,
    "jpegxl": JPEG_XL,
    "heic": HEIC,
    # As Pillow has them by default, and as the published curves on Kodak were made.
    "jpeg-default": dataclasses.replace(
        JPEG, name="JPEG (Pillow's defaults)", options={}, format="JPEG"
    ),
    "webp-default": dataclasses.replace(
        WEBP, name="WebP (Pillow's defaults)", options={}, format="WEBP"
    ),
}
"""What commands call the codecs."""
