"""A codec on a dataset, in full: coded files, JSON and CSV, table, figure, beside JPEG and WebP."""

from __future__ import annotations

import pathlib
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

from codec import HEADER_LIMIT
from codec.files import write_atomically
from evaluation.classical import JPEG, WEBP, ClassicalMatch, closest_to, ladder
from evaluation.figures import Example, Version, write_overview
from evaluation.measure import Codec, FileRow, Image, check_coded_size, coded_file, measure
from evaluation.results import Results, write_results
from evaluation.tables import comparison_table, gap_table

EXAMPLES = 3
"""Images that the figure shows."""

COLLAPSED = 0.5
"""Share of the bits under noise below which rounding has destroyed what the model learned."""


def report(
    codec: Codec,
    images: Callable[[], Iterator[Image]],
    folder: pathlib.Path,
    *,
    dataset: str,
    provenance: Dict[str, Any],
) -> Results:
    """Measures a codec on real files and writes what there is to say about it.

    ``folder`` receives ``<dataset>/`` (the coded files), ``<dataset>.json`` and ``.csv``,
    ``<dataset>.png`` and ``.svg`` (the figure) and, last of all, ``<dataset>.txt`` (the table).

    Args:
        codec: the learned codec.
        images: gives the images anew at each call; they are held one at a time.
        folder: where everything goes; made when missing.
        dataset: the dataset's name.
        provenance: what made the codec.

    Returns:
        The codec's results.

    Raises:
        RoundTripError: a file does not hold what the model promised; nothing but coded files is
            written then.
    """
    rows = measure(codec, images(), folder / dataset, progress=_say)
    check_coded_size(rows, HEADER_LIMIT)
    warn_of_collapse(rows)
    results = Results.from_rows(
        rows,
        name=codec.name,
        description="learned codec, measured on decoded files",
        dataset=dataset,
        provenance=provenance,
    )
    write_results(results, folder / f"{dataset}.json")
    classical, examples = _beside_classical(codec, images(), rows, folder / dataset)
    curves = [ladder(other, images(), dataset=dataset) for other in (JPEG, WEBP)]
    write_overview(folder / f"{dataset}.png", examples, results, curves)
    table = f"{comparison_table(codec.name, rows, classical)}\n\n{gap_table(rows)}"
    write_atomically(folder / f"{dataset}.txt", (table + "\n").encode())
    print(f"\n{table}\n\nfigure and data: {folder / dataset}.png, .svg, .json, .csv", flush=True)
    return results


def _say(row: FileRow) -> None:
    print(
        f"{row.file}: {row.bpp:.4f} bpp coded ({row.bpp_rounded:.4f} estimated, "
        f"{row.bpp_training:.4f} on the training value), PSNR {row.psnr:.2f} dB, "
        f"encoded in {row.encode_seconds:.2f} s, decoded in {row.decode_seconds:.2f} s",
        flush=True,
    )


def warn_of_collapse(rows: Sequence[Any]) -> None:
    """Says so when training counted on bits that rounding does not leave; rows of any medium."""
    rounded = sum(row.bits_rounded for row in rows)
    noise = sum(row.bits_noise for row in rows)
    if rounded < COLLAPSED * noise:
        print(
            f"warning: the latents have collapsed: rounded they hold {rounded / noise:.0%} of the "
            "bits that they hold under noise. The quantizer let the model train on values below "
            "the grid; see docs/quantizers.md.",
            flush=True,
        )


def _beside_classical(
    codec: Codec, images: Iterator[Image], rows: List[FileRow], coded: pathlib.Path
) -> Tuple[Dict[str, List[ClassicalMatch]], List[Example]]:
    """JPEG's and WebP's nearest files for every row, and the figure's examples."""
    matches: Dict[str, List[ClassicalMatch]] = {JPEG.name: [], WEBP.name: []}
    examples = []
    for image, row in zip(images, rows):
        for other in (JPEG, WEBP):
            matches[other.name].append(closest_to(other, image.pixels, row.bpp))
        if len(examples) < EXAMPLES:
            jpeg = matches[JPEG.name][-1]
            learned = codec.decode(coded_file(coded, image.name).read_bytes())
            baseline = JPEG.decode(JPEG.encode(image.pixels, jpeg.quality))
            versions = [
                Version("learned", learned, row.bpp, row.psnr),
                Version(JPEG.name, baseline, jpeg.bpp, jpeg.psnr),
            ]
            examples.append(Example(image.name, image.pixels, versions))
    return matches, examples
