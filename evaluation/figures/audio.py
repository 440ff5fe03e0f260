"""One figure of sound: waveforms and spectrograms, a learned point among classical curves."""

from __future__ import annotations

import pathlib
from typing import NamedTuple, Sequence, Tuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from evaluation.figures.style import write_figure
from evaluation.results import Results

# Okabe & Ito 2008: told apart under every common colour blindness. Vermillion is the learned codec.
_LEARNED_COLOUR = "#D55E00"
_CURVE_STYLES = (("#0072B2", "o"), ("#009E73", "s"), ("#CC79A7", "^"))

# Inches.
_PICTURE = 1.95
_WAVEFORM = 0.55
_SPECTROGRAM = 1.15
_CAPTION = 0.46
_AXIS = 0.4
_GAP = 0.16
_MARGIN = 0.12
_BELOW = 0.06
_CURVES_WIDTH = 3.5
_CURVES_LABELS = 0.72
_MAX_EXAMPLES = 2

SHOWN_SECONDS = 2.0
"""Of a longer recording the loudest two seconds are shown."""

# dB beside a sine of full scale. Below, all is black: 16 bits end at -98.
_QUIETEST, _LOUDEST = -90.0, -10.0


class SoundVersion(NamedTuple):
    """A decoded recording; the numbers are of the whole of it."""

    label: str
    samples: np.ndarray  # float [samples], the first channel
    kbps: float
    si_sdr: float


class SoundExample(NamedTuple):
    """An original and what codecs made of it, all equally long."""

    name: str
    sample_rate: int
    original: np.ndarray  # float [samples], the first channel
    versions: Sequence[SoundVersion]


def write_audio_overview(
    path: pathlib.Path,
    examples: Sequence[SoundExample],
    learned: Results,
    classical: Sequence[Results],
) -> Tuple[pathlib.Path, pathlib.Path]:
    """Writes the figure as PNG and SVG.

    Args:
        path: where to; the suffix is replaced by .png and .svg.
        examples: recordings to show, the first two of them, with equally many versions each.
        learned: the learned codec's operating points.
        classical: curves to compare with, up to three; of those that have ``kbps-packets`` the
            packets alone are drawn in full and the whole files dotted.

    Returns:
        The two paths.

    Raises:
        ValueError: there are no examples, or they differ in their number of versions.
    """
    examples = list(examples)[:_MAX_EXAMPLES]
    if not examples or len({len(example.versions) for example in examples}) != 1:
        raise ValueError(
            "examples must be at least one, all with equally many versions, "
            f"got {[len(example.versions) for example in examples]}"
        )
    return write_figure(path, lambda: _overview(examples, learned, classical), font_size=8)


def _overview(examples, learned, classical):
    columns = 1 + len(examples[0].versions)
    pictures_width = _MARGIN + _AXIS + columns * _PICTURE + (columns - 1) * _GAP
    width = pictures_width + _CURVES_LABELS + _CURVES_WIDTH + _MARGIN
    row_height = _CAPTION + _WAVEFORM + _SPECTROGRAM + _AXIS
    # One row of pictures is too low for two panels.
    height = max(len(examples) * row_height + _BELOW, 4.2)
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)

    def axes(left, top, axes_width, axes_height):
        bottom = height - top - axes_height
        box = (left / width, bottom / height, axes_width / width, axes_height / height)
        return figure.add_axes(box)

    for row, example in enumerate(examples):
        for column, (samples, caption, colour) in enumerate(_shown(example)):
            left = _MARGIN + _AXIS + column * (_PICTURE + _GAP)
            top = row * row_height + _CAPTION
            waveform = axes(left, top, _PICTURE, _WAVEFORM)
            spectrogram = axes(left, top + _WAVEFORM, _PICTURE, _SPECTROGRAM)
            part = _loudest(example)
            _draw_waveform(waveform, samples[part], example, colour)
            waveform.set_ylim(*_level_range(example, part))
            _draw_spectrogram(spectrogram, samples[part], example.sample_rate)
            waveform.set_title(caption, loc="left", fontsize=7.5, pad=3, linespacing=1.2)
            if column:
                spectrogram.tick_params(labelleft=False)
            else:
                spectrogram.set_ylabel("kHz", labelpad=2)
            spectrogram.set_xlabel("time (s)", labelpad=1)

    between = 0.15
    panel = (height - _MARGIN - between - _AXIS - _BELOW) / 2
    left = pictures_width + _CURVES_LABELS
    waveforms = axes(left, _MARGIN, _CURVES_WIDTH, panel)
    spectra = axes(left, _MARGIN + panel + between, _CURVES_WIDTH, panel)
    _draw_curves(waveforms, learned, classical, "si-sdr")
    _draw_curves(spectra, learned, classical, "log-mel")
    waveforms.set_ylabel("SI-SDR (dB)")
    waveforms.tick_params(labelbottom=False)
    _draw_legend(waveforms, classical)
    spectra.set_ylabel("log-mel distance (dB), lower is closer")
    spectra.set_xlabel("rate (kbit/s)" + _dataset(learned))
    figure.align_ylabels([waveforms, spectra])
    return figure


def _shown(example):
    yield example.original, f"{example.name:.34}\noriginal", "0.25"
    colours = (_LEARNED_COLOUR, *(colour for colour, _ in _CURVE_STYLES))
    for version, colour in zip(example.versions, colours):
        caption = f"{version.label:.34}\n{version.kbps:.2f} kbit/s, SI-SDR {version.si_sdr:.1f} dB"
        yield version.samples, caption.replace("-inf", "\N{MINUS SIGN}\N{INFINITY}"), colour


def _loudest(example) -> slice:
    """The part of the recording that is shown."""
    length = min(round(SHOWN_SECONDS * example.sample_rate), len(example.original))
    energy = np.concatenate([[0], np.cumsum(np.square(example.original, dtype=np.float64))])
    start = int(np.argmax(energy[length:] - energy[: len(energy) - length]))
    return slice(start, start + length)


def _level_range(example, part):
    """One for all versions: levels compare."""
    every = (example.original, *(version.samples for version in example.versions))
    peak = 1.1 * max(np.abs(samples[part]).max() for samples in every)
    return (-peak, peak) if peak > 0 else (-1, 1)


def _draw_waveform(axes, samples, example, colour):
    seconds = np.arange(len(samples)) / example.sample_rate
    axes.plot(seconds, samples, color=colour, lw=0.4, rasterized=True)
    axes.set_xlim(0, len(samples) / example.sample_rate)
    axes.axis("off")


def _draw_spectrogram(axes, samples, sample_rate):
    seconds = len(samples) / sample_rate
    axes.imshow(
        _spectrogram(samples, sample_rate).T,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, sample_rate / 2000),
        cmap="magma",
        vmin=_QUIETEST,
        vmax=_LOUDEST,
        interpolation="nearest",
    )
    axes.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.tick_params(length=2, width=0.6, pad=2, labelsize=7)


def _spectrogram(samples, sample_rate):
    """DB beside a sine of full scale, [windows, bins]; Hann windows of 25 ms, 400 at the most."""
    length = max(2, round(0.025 * sample_rate))
    padded = np.pad(samples.astype(np.float64), length // 2)
    if len(padded) < length:
        padded = np.pad(padded, (0, length - len(padded)))
    hop = max(1, len(samples) // 400)
    window = np.hanning(length + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop] * window
    amplitude = np.abs(np.fft.rfft(frames, 2 * length)) / (window.sum() / 2)
    return 20 * np.log10(np.maximum(amplitude, 1e-6))


def _draw_curves(axes, learned, classical, key):
    for (colour, marker), curve in zip(_CURVE_STYLES, classical):
        style = {"color": colour, "marker": marker, "markersize": 3.5}
        if "kbps-packets" in curve.points:
            axes.plot(*_points(curve, "kbps-packets", key), lw=1.4, **style)
            whole = {**style, "markersize": 2.5, "alpha": 0.6, "ls": ":"}
            axes.plot(*_points(curve, "kbps", key), lw=1.0, **whole)
        else:
            axes.plot(*_points(curve, "kbps", key), lw=1.4, **style)
    star = {"marker": "*", "markersize": 12, "markeredgecolor": "white", "zorder": 5}
    rate, values = _points(learned, "kbps", key)
    axes.plot(rate, values, lw=1.4 if len(rate) > 1 else 0, color=_LEARNED_COLOUR, **star)
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.grid(True, color="0.9", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5, width=0.6)
    axes.tick_params(which="minor", length=0)


def _draw_legend(axes, classical):
    """Where the curves leave most room."""
    handles = [
        Line2D([], [], ls="", marker="*", markersize=9, color=_LEARNED_COLOUR, label="learned")
    ]
    for (colour, marker), curve in zip(_CURVE_STYLES, classical):
        handles.append(
            Line2D([], [], color=colour, marker=marker, markersize=3.5, lw=1.4, label=curve.name)
        )
    if any("kbps-packets" in curve.points for curve in classical):
        handles.append(Line2D([], [], color="0.4", lw=1, ls=":", label="whole file"))
    axes.legend(handles=handles, loc="best", frameon=False, handlelength=1.8)


def _points(results, rate_key, key):
    """Rates and values of the points that have both, in order of rate."""
    rate = np.array(results.points[rate_key], np.float64)
    values = np.array(results.points.get(key, [np.nan] * len(rate)), np.float64)
    known = np.isfinite(rate) & np.isfinite(values)
    order = np.argsort(rate[known])
    return rate[known][order], values[known][order]


def _dataset(results):
    dataset = results.dataset
    return f", mean over {dataset.name} ({dataset.files} files)" if dataset else ""
