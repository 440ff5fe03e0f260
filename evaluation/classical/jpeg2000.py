"""JPEG 2000."""

from typing import Any, Dict

from evaluation.classical.pillow_format import PillowFormat


class FixedRate(PillowFormat):
    """JPEG 2000, whose setting is the rate in hundredths of a bit per pixel.

    Every image gets the same rate, as in the published curve, while all other formats spend on an
    image the bits that its quality takes. That flatters the mean over images: if all 24 photographs
    of Kodak have one PSNR instead, the same encoder needs 24 % more bits for the same mean PSNR.
    """

    def arguments(self, setting: int) -> Dict[str, Any]:
        """The encoder takes the compression ratio relative to 24 bits per pixel."""
        return {"quality_mode": "rates", "quality_layers": [24 / (setting / 100)]}


CODECS = {
    "jpeg2000": FixedRate(
        name="JPEG 2000",
        lowest=5,
        highest=800,
        ladder=(10, 20, 30, 50, 75, 100, 150, 200, 300),
        format="JPEG2000",
        # Without the colour transform (mct) a file of equal PSNR is more than twice as large.
        options={"irreversible": True, "mct": 1},
        libraries=("jpg_2000",),
    )
}
