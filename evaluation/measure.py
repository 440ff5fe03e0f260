"""Rate and distortion of a learned codec, measured on files that were written and decoded again.

An estimate is not a result: every file is read back from disk, and what it decodes to must equal
the test-time reconstruction in every pixel or sample.
"""

from __future__ import annotations

import hashlib
import math
import pathlib
import re
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Protocol, Sequence

import numpy as np

from codec.file_codec import FileCodec
from evaluation.media import Medium, Row
from signals.files import write_atomically

# The coded size may differ from the rounded estimate by this share, because probabilities are
# stored with finite precision ...
_SIZE_TOLERANCE = 0.005
# ... and by a few bytes: TFC's range coder ends a string 1 byte short of to 2 bytes beyond what its
# symbols need, and over the few symbols of a tiny file the finite precision does not average out.
_CODER_TAIL_BYTES = 4


class RoundTripError(RuntimeError):
    """A file does not hold what the model promised: no number of this run can be trusted."""


class Refine(Protocol):
    """Improves the latents of a file before they are coded."""

    name: str

    def __call__(self, file: Any) -> Any:
        """``.latents`` for the codec, and the number of ``.steps`` taken."""


Objective = Callable[[Any, np.ndarray, float], Dict[str, float]]
"""(named file, what it decodes to, its bits) -> ``distortion`` and ``loss``."""


def measure(
    medium: Medium,
    codec: FileCodec,
    files: Iterable[Any],
    folder: pathlib.Path,
    *,
    progress: Optional[Callable[[Row], None]] = None,
    refine: Optional[Refine] = None,
    objective: Optional[Objective] = None,
) -> List[Row]:
    """Codes every file to ``folder/<name>.rtc`` and measures it.

    Args:
        medium: what the files are.
        codec: the codec.
        files: named images or recordings; read once, one at a time.
        folder: where the coded files go; created if missing.
        progress: called with every row as soon as it is measured.
        refine: refines each file once before it is coded; None codes what the analysis gives.
        objective: what the codec was trained for.

    Returns:
        One row for each file, in their order: ``medium.columns``, and what the objective gives.

    Raises:
        RoundTripError: a file does not decode to the test-time reconstruction.
        ValueError: there are no files.
    """
    rows = []
    for file in files:
        if not rows:
            # The first call builds graphs; that time belongs to no file.
            codec.decode(codec.quantize(*medium.signal(file)).encode(), max_size=None)
        path = coded_file(folder, file.name)
        rows.append(measure_file(medium, codec, file, path, refine, objective))
        if progress is not None:
            progress(rows[-1])
    if not rows:
        raise ValueError(f"{medium.files}: got none to measure, at least one is needed.")
    return rows


def measure_file(
    medium: Medium,
    codec: FileCodec,
    file: Any,
    path: pathlib.Path,
    refine: Optional[Refine] = None,
    objective: Optional[Objective] = None,
) -> Row:
    """Codes one file to ``path``, reads it back, decodes and compares.

    Raises:
        RoundTripError: the coded file does not decode, or not to the test-time reconstruction.
    """
    signal = medium.signal(file)
    start = time.perf_counter()
    refined = None if refine is None else refine(file)
    refine_seconds = 0.0 if refine is None else time.perf_counter() - start
    # Coded file, reconstruction and estimate must be of the same latents.
    given = {} if refined is None else {"latents": refined.latents}

    start = time.perf_counter()
    quantized = codec.quantize(*signal, **given)
    data = quantized.encode()
    encode_seconds = time.perf_counter() - start

    write_atomically(path, data)
    stored = path.read_bytes()

    start = time.perf_counter()
    try:
        decoded = codec.decode(stored, max_size=None)
    except ValueError as error:
        raise RoundTripError(f"{path}: the file just written does not decode: {error}") from error
    decode_seconds = time.perf_counter() - start

    reconstruction = quantized.reconstruct()
    _check_equal(medium, path, decoded, reconstruction)
    bits_fixed_length = math.nan
    if codec.has_fixed_length:
        fixed = quantized.encode(fixed_length=True)
        _check_equal(medium, path, codec.decode(fixed, max_size=None), reconstruction)
        bits_fixed_length = 8 * len(fixed)
    estimate = quantized.estimate_bits()
    seen_in_training = quantized.reconstruct(training=True)

    def plain(what: Any) -> np.ndarray:
        return medium.comparable(medium.signal(what)[0])

    first, (original, *rest) = medium.metrics[0], signal
    trained_for = objective(file, plain(decoded), 8 * len(stored)) if objective else {}
    return medium.with_rates(
        {
            **trained_for,
            "file": file.name,
            "sha256": medium.digest(file),
            **medium.size(signal),
            "bits_noise": float(estimate.noise),
            "bits_training": float(estimate.training),
            "bits_rounded": float(estimate.rounded),
            "bits_coded": 8 * len(stored),
            "bits_fixed_length": bits_fixed_length,
            f"{first.column}_training": first.function(original, plain(seen_in_training), *rest),
            **medium.scores(file, plain(decoded)),
            "encode_seconds": encode_seconds,
            "decode_seconds": decode_seconds,
            "bits_side": float(estimate.side),
            "refine_steps": 0 if refined is None else refined.steps,
            "refine_seconds": refine_seconds,
        }
    )


def check_coded_size(rows: Sequence[Row], header_bytes: int) -> None:
    """Checks that coded and rounded bits agree within 0.5 %, a header and 4 bytes.

    Args:
        rows: measured files.
        header_bytes: the most that a file spends outside its payload.

    Raises:
        RoundTripError: a file is larger or smaller than that; lists the bits of each.
    """
    wrong = []
    for row in rows:
        coded, rounded = row["bits_coded"], row["bits_rounded"]
        slack = _SIZE_TOLERANCE * rounded + 8 * _CODER_TAIL_BYTES
        if not -slack <= coded - rounded <= slack + 8 * header_bytes:
            wrong.append(
                f"{row['file']}: {coded} bits coded, {rounded:.0f} bits estimated (rounded), "
                f"allowed -{slack:.0f} to +{slack + 8 * header_bytes:.0f}"
            )
    if wrong:
        raise RoundTripError(
            f"coded size and estimate disagree in {len(wrong)} of {len(rows)} files: "
            + "; ".join(wrong)
        )


def coded_file(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Where `measure` keeps the coded file of an image or recording: ``<name>.rtc``.

    Whatever is not a letter, digit, underscore, dot or dash is percent-encoded, byte by byte, so
    that different names stay different files.
    """

    def encoded(match: re.Match) -> str:
        return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))

    safe = re.sub(r"[^\w.-]", encoded, name)
    # File systems stop at 255 bytes; the digest keeps shortened names apart.
    if len(safe.encode()) > 200:
        safe = f"{safe[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return pathlib.Path(folder) / f"{safe}.rtc"


def _check_equal(medium: Medium, path: pathlib.Path, decoded: Any, expected: Any) -> None:
    (found, *rate), (wanted, *wanted_rate) = medium.signal(decoded), medium.signal(expected)
    form, wanted_form = (
        f"{values.dtype} {values.shape}" + "".join(f" at {each} Hz" for each in rates)
        for values, rates in ((found, rate), (wanted, wanted_rate))
    )
    if form != wanted_form or found.dtype != medium.dtype:
        raise RoundTripError(
            f"{path}: decodes to {form}, the test-time reconstruction is {wanted_form}; "
            f"both must be {np.dtype(medium.dtype)} and equal"
        )
    difference = np.abs(found.astype(np.int32) - wanted).max(axis=-1)
    if difference.any():
        raise RoundTripError(
            f"{path}: {np.count_nonzero(difference)} of {difference.size} {medium.unit} differ "
            f"from the test-time reconstruction, by up to {difference.max()} levels"
        )
