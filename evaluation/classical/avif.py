"""AVIF."""

from evaluation.classical.pillow_format import PillowFormat

CODECS = {
    "avif": PillowFormat(
        name="AVIF",
        lowest=0,
        highest=100,
        ladder=(5, 15, 30, 45, 60, 75, 85, 92),
        format="AVIF",
        options={"speed": 6, "subsampling": "4:2:0", "max_threads": 1},
        libraries=("avif",),
    )
}
