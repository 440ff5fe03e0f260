"""HEIC, through the package ``pillow-heif``."""

from typing import Dict

from PIL import Image as PillowImage

from evaluation.classical.pillow_format import PillowFormat


class Heif(PillowFormat):
    """HEIC, whose plugin registers on demand and names the encoder that it bundles."""

    def require(self) -> None:
        super().require()
        if self.format not in PillowImage.SAVE:
            import pillow_heif

            pillow_heif.register_heif_opener()

    def versions(self) -> Dict[str, str]:
        import pillow_heif

        libraries = pillow_heif.libheif_info()
        return {
            **super().versions(),
            "libheif": str(libraries["libheif"]),
            "encoder": str(libraries["HEIF"]),
        }


CODECS = {
    "heic": Heif(
        name="HEIC",
        lowest=0,
        highest=100,
        ladder=(6, 12, 18, 26, 34, 42, 50, 60),
        format="HEIF",
        options={"chroma": "420"},
        plugin="pillow_heif",
        package="pillow-heif",
    )
}
