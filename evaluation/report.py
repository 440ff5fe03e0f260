"""A codec on a dataset, in full: coded files, JSON and CSV, table, figure, beside JPEG and WebP."""

from __future__ import annotations

import pathlib
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from codec import HEADER_LIMIT
from evaluation.classical.codec import ClassicalCodec
from evaluation.classical.jpeg import JPEG
from evaluation.classical.ladders import LADDERS, kept_ladder
from evaluation.classical.matches import closest_to
from evaluation.classical.webp import WEBP
from evaluation.figures.overview import Example, Version, write_overview
from evaluation.measure import (
    Codec,
    FileRow,
    Image,
    Refine,
    check_coded_size,
    coded_file,
    measure,
)
from evaluation.results import Results, write_results
from evaluation.tables import comparison_table, gap_table
from signals.files import write_atomically

CLASSICAL = {codec.name: codec for codec in (JPEG, WEBP)}
"""What a codec can be reported beside; all of them by default."""

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
    classical: Optional[Sequence[str]] = None,
    ladders: pathlib.Path = LADDERS,
    refine: Optional[Refine] = None,
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
        classical: names of the classical codecs beside it, the first of them in the figure's
            pictures too; None: all; none takes a fraction of the time.
        ladders: where the curves of classical codecs are kept from report to report.
        refine: refines each image before it is coded; the codec's name then says so.

    Returns:
        The codec's results.

    Raises:
        ValueError: there is no such classical codec.
        RoundTripError: a file does not hold what the model promised; nothing but coded files is
            written then.
    """
    others = classical_codecs(CLASSICAL, classical)
    name = codec.name if refine is None else f"{codec.name} + {refine.name}"
    rows = measure(codec, images(), folder / dataset, progress=_say, refine=refine)
    check_coded_size(rows, HEADER_LIMIT)
    warn_of_collapse(rows)
    results = Results.from_rows(
        rows,
        name=name,
        description="learned codec, measured on decoded files",
        dataset=dataset,
        provenance=provenance,
    )
    write_results(results, folder / f"{dataset}.json")
    matches, examples = _beside_classical(codec, images(), rows, folder / dataset, others)
    curves = [kept_ladder(other, images, results.dataset, ladders) for other in others]
    write_overview(folder / f"{dataset}.png", examples, results, curves)
    table = f"{comparison_table(name, rows, matches)}\n\n{gap_table(rows)}"
    write_atomically(folder / f"{dataset}.txt", (table + "\n").encode())
    print(f"\n{table}\n\nfigure and data: {folder / dataset}.png, .svg, .json, .csv", flush=True)
    return results


def classical_codecs(known: Dict[str, Any], names: Optional[Sequence[str]]) -> List[Any]:
    """Those of ``known`` that are named; None: all.

    Raises:
        ValueError: there is no such codec.
    """
    names = list(known) if names is None else list(names)
    for name in names:
        if name not in known:
            raise ValueError(f"classical={name!r} must be one of {', '.join(known)}.")
    return [known[name] for name in names]


def _say(row: FileRow) -> None:
    refined = f"refined in {row.refine_seconds:.1f} s, " if row.refine_steps else ""
    print(
        f"{row.file}: {row.bpp:.4f} bpp coded ({row.bpp_rounded:.4f} estimated, "
        f"{row.bpp_training:.4f} on the training value), PSNR {row.psnr:.2f} dB, "
        f"{refined}encoded in {row.encode_seconds:.2f} s, decoded in {row.decode_seconds:.2f} s",
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
    codec: Codec,
    images: Iterator[Image],
    rows: List[FileRow],
    coded: pathlib.Path,
    others: Sequence[ClassicalCodec],
) -> Tuple[Dict[str, List[Any]], List[Example]]:
    """The classical codecs' nearest files for every row, and the figure's examples."""
    matches: Dict[str, List[Any]] = {other.name: [] for other in others}
    examples = []
    # Without classical codecs only the examples are read.
    for row, image in zip(rows if others else rows[:EXAMPLES], images):
        decoded = {}
        for other in others:
            match, decoded[other.name] = closest_to(other, image, row.bpp)
            matches[other.name].append(types.SimpleNamespace(**match))
        if len(examples) < EXAMPLES:
            learned = codec.decode(coded_file(coded, image.name).read_bytes())
            versions = [Version("learned", learned, row.bpp, row.psnr)]
            for baseline in others[:1]:
                match = matches[baseline.name][-1]
                shown = decoded[baseline.name]
                versions.append(Version(baseline.name, shown, match.bpp, match.psnr))
            examples.append(Example(image.name, image.pixels, versions))
    return matches, examples
