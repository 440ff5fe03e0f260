"""JPEG XL, through the package ``pillow-jxl-plugin``."""

from evaluation.classical.pillow_format import PillowFormat

CODECS = {
    "jpegxl": PillowFormat(
        name="JPEG XL",
        lowest=0,
        highest=99,  # 100 is lossless.
        ladder=(5, 15, 30, 50, 65, 78, 87, 93),
        format="JXL",
        options={"effort": 7, "num_threads": 1},
        plugin="pillow_jxl",
        package="pillow-jxl-plugin",
    )
}
