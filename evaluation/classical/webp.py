"""WebP."""

import dataclasses

from evaluation.classical.pillow_format import QUALITIES, PillowFormat

WEBP = PillowFormat(
    name="WebP",
    lowest=0,
    highest=100,
    ladder=QUALITIES,
    format="WEBP",
    options={"method": 6},
    libraries=("webp",),
)

CODECS = {
    "webp": WEBP,
    # The published curves on Kodak were made with Pillow's defaults.
    "webp-default": dataclasses.replace(WEBP, name="WebP (Pillow's defaults)", options={}),
}
