"""JPEG."""

import dataclasses

from evaluation.classical.pillow_format import QUALITIES, PillowFormat

JPEG = PillowFormat(
    name="JPEG",
    lowest=1,
    highest=100,
    ladder=QUALITIES,
    format="JPEG",
    options={"optimize": True},
    libraries=("jpg", "libjpeg_turbo"),
)

CODECS = {
    "jpeg": JPEG,
    # The published curves on Kodak were made with Pillow's defaults.
    "jpeg-default": dataclasses.replace(JPEG, name="JPEG (Pillow's defaults)", options={}),
}
