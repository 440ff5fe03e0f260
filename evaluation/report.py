"""A codec on a dataset, in full: coded files, JSON and CSV, tables, figure, classical codecs."""

from __future__ import annotations

import csv
import math
import pathlib
import statistics
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from codec.file_codec import FileCodec
from evaluation.classical import classical_codecs
from evaluation.classical.codec import CannotCode, ClassicalCodec
from evaluation.classical.ladders import LADDERS, kept_ladder
from evaluation.classical.matches import closest_to
from evaluation.comparison.measurements import read_measurement
from evaluation.figures.cells import Example, Version
from evaluation.figures.overview import write_overview
from evaluation.measure import Objective, Refine, check_coded_size, coded_file, measure
from evaluation.media import Medium, Row
from evaluation.results import Results, write_results
from evaluation.tables import comparison_table, gap_table
from signals.files import write_atomically

COLLAPSED = 0.5
"""Share of the bits under noise below which rounding has destroyed what the model learned."""


def report(
    medium: Medium,
    codec: FileCodec,
    files: Callable[[], Iterator[Any]],
    folder: pathlib.Path,
    *,
    dataset: str,
    provenance: Dict[str, Any],
    classical: Optional[Sequence[str]] = None,
    ladders: pathlib.Path = LADDERS,
    refine: Optional[Refine] = None,
    objective: Optional[Objective] = None,
) -> Results:
    """Measures a codec on real files and writes the results.

    ``folder`` receives ``<dataset>/`` (the coded files), ``<dataset>.json`` and ``.csv``, for audio
    ``<dataset>-audio/`` (the first recordings as WAV: original, decoded, and by the first classical
    codec at the same rate), ``<dataset>.png`` and ``.svg`` (the figure) and, last of all,
    ``<dataset>.txt`` (the tables).

    Args:
        medium: what the files are.
        codec: the learned codec.
        files: returns the named images or recordings afresh at each call; held one at a time.
        folder: where everything goes; created if missing.
        dataset: the dataset's name.
        provenance: what made the codec.
        classical: names of the classical codecs to compare with, the first of them in the figure's
            examples too; None: those of the medium. With none it takes a fraction of the time.
        ladders: where the curves of classical codecs are kept from report to report.
        refine: refines each file before it is coded; the codec's name then says so.
        objective: what the codec was trained for; its means join the provenance.

    Returns:
        The codec's results.

    Raises:
        ValueError: a classical codec is not installed.
        RoundTripError: a file does not hold what the model promised; only coded files are written
            then.
    """
    others = _classical(medium, classical)
    name = codec.name if refine is None else f"{codec.name} + {refine.name}"

    def progress(row: Row) -> None:
        print(_progress_line(medium, row), flush=True)

    def with_warnings() -> Iterator[Any]:
        for file in files():
            warning = medium.warning(file.name, medium.signal(file))
            if warning:
                print(warning, flush=True)
            yield file

    how = {"progress": progress, "refine": refine, "objective": objective}
    rows = measure(medium, codec, with_warnings(), folder / dataset, **how)
    check_coded_size(rows, medium.header_bytes)
    _warn_of_collapse(rows)
    results = Results.from_rows(
        rows,
        name=name,
        description="learned codec, measured on decoded files",
        dataset=dataset,
        provenance={**provenance, **_objective(rows)},
    )
    # After a kill from here on, tables of an earlier report would pass for those of these results.
    (folder / f"{dataset}.txt").unlink(missing_ok=True)
    write_results(results, folder / f"{dataset}.json")
    matches, examples, listen = _beside_classical(
        medium, codec, files(), rows, folder / dataset, others
    )
    curves = []
    for other in others:
        if None in matches[other.name]:
            continue  # A curve is a mean over all files.
        print(f"{other.name}: its curve, of {len(other.ladder)} settings", flush=True)
        try:
            curves.append(kept_ladder(other, files, results.dataset, ladders))
        except CannotCode as error:
            print(f"warning: no curve: {error}", flush=True)
    write_overview(folder / f"{dataset}.png", medium, examples, results, curves)
    table = f"{comparison_table(medium, name, rows, matches)}\n\n{gap_table(medium, rows)}"
    write_atomically(folder / f"{dataset}.txt", (table + "\n").encode())
    print(f"\n{table}\n\nfigure and data: {folder / dataset}.png, .svg, .json, .csv", flush=True)
    if listen is not None:
        print(f"to listen: {listen}", flush=True)
    return results


def _objective(rows: Sequence[Row]) -> Dict[str, Dict[str, float]]:
    """Means of distortion and loss over the files that have them."""
    known = [row for row in rows if not math.isnan(row.get("loss", math.nan))]
    if not known:
        return {}
    means = {key: statistics.fmean(row[key] for row in known) for key in ("distortion", "loss")}
    return {"objective": {**means, "files": len(known)}}


def read_tables(path: pathlib.Path) -> Optional[str]:
    """The tables in ``<dataset>.txt``, which a report writes last; None if results are damaged."""
    try:
        # This also compares the means in the JSON with the rows of the CSV.
        read_measurement(path.with_suffix(".json"))
        text = path.read_text("utf-8")
    except (FileNotFoundError, ValueError, csv.Error):
        return None
    whole = text.endswith("\n") and path.with_suffix(".csv").exists()
    return text if whole else None


def _classical(medium: Medium, names: Optional[Sequence[str]]) -> List[ClassicalCodec]:
    known = {codec.name: codec for codec in classical_codecs().values()}
    usual = [name for name in medium.classical if name in known]
    codecs = [known[name] for name in (usual if names is None else names)]
    for codec in codecs:
        codec.require()
    return codecs


def _progress_line(medium: Medium, row: Row) -> str:
    rate, metric, digits = medium.rate, medium.metrics[0], medium.rate_digits + 1
    refined = f"refined in {row['refine_seconds']:.1f} s, " if row["refine_steps"] else ""
    return (
        f"{row['file']}: {row[rate]:.{digits}f} {rate} coded "
        f"({row[f'{rate}_rounded']:.{digits}f} estimated, "
        f"{row[f'{rate}_training']:.{digits}f} on the training value), "
        f"{metric.name} {row[metric.column]:.2f} {metric.unit}, {refined}"
        f"encoded in {row['encode_seconds']:.2f} s, decoded in {row['decode_seconds']:.2f} s"
    )


def _warn_of_collapse(rows: Sequence[Row]) -> None:
    """Warns when training counted on bits that rounding does not leave."""
    rounded = sum(row["bits_rounded"] for row in rows)
    noise = sum(row["bits_noise"] for row in rows)
    if rounded < COLLAPSED * noise:
        print(
            f"warning: the latents have collapsed: rounded they hold {rounded / noise:.0%} of the "
            "bits that they hold under noise. The quantizer let the model train on values below "
            "the grid; see docs/quantizers.md.",
            flush=True,
        )


def _beside_classical(
    medium: Medium,
    codec: FileCodec,
    files: Iterator[Any],
    rows: Sequence[Row],
    coded: pathlib.Path,
    others: Sequence[ClassicalCodec],
) -> Tuple[Dict[str, List[Optional[Row]]], List[Example], Optional[pathlib.Path]]:
    """The classical codecs' match for every row, the figure's examples, and where to listen.

    A codec that cannot code a file has None as its match. What there is to listen to is written on
    the way.
    """
    metric, listen = medium.metrics[0].column, None
    matches: Dict[str, List[Optional[Row]]] = {other.name: [] for other in others}
    examples = []
    # Without classical codecs only the examples are read.
    for row, file in zip(rows if others else rows[: medium.examples], files):
        decoded = {}
        for other in others:
            try:
                match, decoded[other.name] = closest_to(other, file, row[medium.rate])
            except CannotCode as error:
                match = None
                print(f"warning: {error}", flush=True)
            matches[other.name].append(match)
        if len(examples) < medium.examples:
            path = coded_file(coded, file.name)
            (values, *_) = medium.signal(codec.decode(path.read_bytes(), max_size=None))
            learned = medium.comparable(values)
            original, *sample_rate = medium.signal(file)
            kept = {"original": original, "decoded": learned}
            versions = [Version("learned", learned, row[medium.rate], row[metric])]
            for name in {other.name for other in others[:1]} & set(decoded):
                kept[name.lower()] = decoded[name]
                match = matches[name][-1]
                versions.append(Version(name, decoded[name], match[medium.rate], match[metric]))
            audio = coded.with_name(f"{coded.name}-audio")
            listen = medium.write_example(audio / path.stem, file, kept)
            examples.append(Example(file.name, original, versions, *sample_rate))
    return matches, examples, listen
