"""A codec on a dataset of sound, in full: files, JSON and CSV, table, figure, and what to play."""

from __future__ import annotations

import io
import pathlib
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from codec import AUDIO_HEADER_LIMIT
from evaluation.audio_measure import AudioCodec, AudioFileRow, Recording, as_float, measure
from evaluation.audio_tables import audio_gap_table, audio_table
from evaluation.classical.codec import ClassicalCodec
from evaluation.classical.ladders import LADDERS, kept_ladder
from evaluation.classical.matches import closest_to
from evaluation.classical.mp3 import MP3
from evaluation.classical.opus import OPUS
from evaluation.classical.vorbis import VORBIS
from evaluation.figures.audio import SoundExample, SoundVersion, write_audio_overview
from evaluation.measure import check_coded_size, coded_file
from evaluation.report import classical_codecs, warn_of_collapse
from evaluation.results import Results, write_results
from signals.files import write_atomically

CLASSICAL = {codec.name: codec for codec in (OPUS, VORBIS, MP3)}
"""What a codec can be reported beside; all of them by default."""

PLAYABLE = 5
"""Recordings of which WAV files are kept; the figure shows the first of them."""


def report(
    codec: AudioCodec,
    recordings: Callable[[], Iterator[Recording]],
    folder: pathlib.Path,
    *,
    dataset: str,
    provenance: Dict[str, Any],
    classical: Optional[Sequence[str]] = None,
    ladders: pathlib.Path = LADDERS,
) -> Results:
    """Measures a codec on real files and writes what there is to say about it.

    ``folder`` receives ``<dataset>/`` (the coded files), ``<dataset>.json`` and ``.csv``,
    ``<dataset>-audio/`` (the first recordings as WAV: original, decoded, and by the first classical
    codec at the same rate), ``<dataset>.png`` and ``.svg`` (the figure) and, last of all,
    ``<dataset>.txt`` (the table).

    Args:
        codec: the learned codec.
        recordings: gives the recordings anew at each call; they are held one at a time.
        folder: where everything goes; made when missing.
        dataset: the dataset's name.
        provenance: what made the codec.
        classical: names of the classical codecs beside it, the first of them in the figure's
            pictures too; None: all; none takes a fraction of the time.
        ladders: where the curves of classical codecs are kept from report to report.

    Returns:
        The codec's results.

    Raises:
        ValueError: there is no such classical codec.
        RoundTripError: a file does not hold what the model promised; nothing but coded files is
            written then.
    """
    others = classical_codecs(CLASSICAL, classical)
    rows = measure(codec, recordings(), folder / dataset, progress=_say)
    check_coded_size(rows, AUDIO_HEADER_LIMIT)
    warn_of_collapse(rows)
    results = Results.from_rows(
        rows,
        name=codec.name,
        description="learned codec, measured on decoded files",
        dataset=dataset,
        provenance=provenance,
    )
    write_results(results, folder / f"{dataset}.json")
    matches, examples = _beside_classical(codec, recordings(), rows, folder, dataset, others)
    curves = []
    for other in others:
        print(f"{other.name}: its curve, of {len(other.ladder)} qualities", flush=True)
        curves.append(kept_ladder(other, recordings, results.dataset, ladders))
    write_audio_overview(folder / f"{dataset}.png", examples, results, curves)
    table = f"{audio_table(codec.name, rows, matches)}\n\n{audio_gap_table(rows)}"
    write_atomically(folder / f"{dataset}.txt", (table + "\n").encode())
    print(
        f"\n{table}\n\nfigure and data: {folder / dataset}.png, .svg, .json, .csv\n"
        f"to listen: {folder / dataset}-audio",
        flush=True,
    )
    return results


def _say(row: AudioFileRow) -> None:
    print(
        f"{row.file}: {row.kbps:.3f} kbps coded ({row.kbps_rounded:.3f} estimated, "
        f"{row.kbps_training:.3f} on the training value), SI-SDR {row.si_sdr:.2f} dB, "
        f"log-mel {row.log_mel:.2f} dB, encoded in {row.encode_seconds:.2f} s, "
        f"decoded in {row.decode_seconds:.2f} s ({row.seconds:.2f} s of sound)",
        flush=True,
    )


def _beside_classical(
    codec: AudioCodec,
    recordings: Iterator[Recording],
    rows: List[AudioFileRow],
    folder: pathlib.Path,
    dataset: str,
    others: Sequence[ClassicalCodec],
) -> Tuple[Dict[str, List[Any]], List[SoundExample]]:
    """Nearest classical files for every row, and of the first ones what the figure shows.

    The WAV files of these are written on the way.
    """
    matches: Dict[str, List[Any]] = {other.name: [] for other in others}
    examples = []
    # Without classical codecs only the examples are read.
    for row, recording in zip(rows if others else rows[:PLAYABLE], recordings):
        decoded = {}
        for other in others:
            match, decoded[other.name] = closest_to(other, recording, row.kbps)
            matches[other.name].append(types.SimpleNamespace(**match))
        if len(examples) < PLAYABLE:
            coded = coded_file(folder / dataset, recording.name)
            learned = as_float(codec.decode(coded.read_bytes()).samples)
            playable = {"original": recording.samples, "decoded": learned}
            versions = [SoundVersion("learned", learned[:, 0], row.kbps, row.si_sdr)]
            for name in list(decoded)[:1]:
                match = matches[name][-1]
                playable[name.lower()] = decoded[name]
                shown = decoded[name][:, 0]
                versions.append(SoundVersion(name, shown, match.kbps, match.si_sdr))
            path = folder / f"{dataset}-audio" / coded.stem
            _write_playable(path, recording.sample_rate, playable)
            examples.append(
                SoundExample(
                    recording.name, recording.sample_rate, recording.samples[:, 0], versions
                )
            )
    return matches, examples


def _write_playable(path: pathlib.Path, sample_rate: int, versions: Dict[str, np.ndarray]) -> None:
    """``<path>.<version>.wav``, 16 bits."""
    import soundfile

    for version, samples in versions.items():
        file = io.BytesIO()
        soundfile.write(file, samples, sample_rate, format="WAV", subtype="PCM_16")
        write_atomically(path.parent / f"{path.name}.{version}.wav", file.getvalue())
