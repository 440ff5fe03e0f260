"""How the overview draws a file: the middle of an image; the waveform and spectrogram of audio."""

from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from evaluation.figures.style import COLOURS, DPI, AddAxes, draw_middle

LEARNED_COLOUR = COLOURS[1]
CLASSICAL_COLOURS = tuple(colour for colour in COLOURS if colour != LEARNED_COLOUR)

SHOWN_SECONDS = 2.0
"""Of a longer recording the loudest two seconds are shown."""

# dB relative to a full-scale sine. Everything below is black: 16 bits end at -98.
_QUIETEST, _LOUDEST = -90.0, -10.0

# Inches.
_WAVEFORM = 0.55
_SPECTROGRAM = 1.15
_TITLE = 0.46


class Version(NamedTuple):
    """A decoded file; rate and quality are of the whole file."""

    label: str
    values: np.ndarray  # uint8 [height, width, 3], or float [samples, channels]
    rate: float
    quality: float


class Example(NamedTuple):
    """An original and its decoded versions, all of one size."""

    name: str
    original: np.ndarray  # uint8 [height, width, 3], or float [samples, channels]
    versions: Sequence[Version]
    sample_rate: int = 0


class ImageCells:
    """The middle of an image, caption below. Sizes in inches.

    A crop is 192 pixels wide, and each of its pixels covers exactly 2x2 dots of the PNG.
    """

    pixels = 192
    width = 2 * pixels / DPI
    height = width + 0.42
    gap = 0.08
    before = 0.0  # for labels, left of the first cell
    most_examples = 3

    def draw(self, axes: AddAxes, example: Example, column: int, caption: str, left, top) -> None:
        """Draws the original (column 0) or a version."""
        values = [example.original, *(each.values for each in example.versions)][column]
        box = axes(left, top, self.width, self.width)
        draw_middle(box, values, caption, size=self.pixels, font_size=8)


class AudioCells:
    """Waveform above spectrogram of the first channel, caption above. Sizes in inches."""

    width = 1.95
    height = _TITLE + _WAVEFORM + _SPECTROGRAM + 0.4
    gap = 0.16
    before = 0.4
    most_examples = 2

    def draw(self, axes: AddAxes, example: Example, column: int, caption: str, left, top) -> None:
        """Draws the original (column 0) or a version."""
        every = [example.original[:, 0], *(each.values[:, 0] for each in example.versions)]
        part = _loudest(every[0], round(SHOWN_SECONDS * example.sample_rate))
        samples = every[column][part]
        # One scale for all versions, so that levels compare.
        peak = 1.1 * max(np.abs(each[part]).max() for each in every) or 1.0
        waveform = axes(left, top + _TITLE, self.width, _WAVEFORM)
        colour = ("0.25", LEARNED_COLOUR, *CLASSICAL_COLOURS)[column]
        seconds = np.arange(len(samples)) / example.sample_rate
        waveform.plot(seconds, samples, color=colour, lw=0.4, rasterized=True)
        waveform.set_xlim(0, len(samples) / example.sample_rate)
        waveform.set_ylim(-peak, peak)
        waveform.axis("off")
        waveform.set_title(caption, loc="left", fontsize=7.5, pad=3, linespacing=1.2)
        spectrogram = axes(left, top + _TITLE + _WAVEFORM, self.width, _SPECTROGRAM)
        _draw_spectrogram(spectrogram, samples, example.sample_rate)
        if column:
            spectrogram.tick_params(labelleft=False)
        else:
            spectrogram.set_ylabel("kHz", labelpad=2)
        spectrogram.set_xlabel("time (s)", labelpad=1)


def _loudest(samples, most) -> slice:
    length = min(most, len(samples))
    energy = np.concatenate([[0], np.cumsum(np.square(samples, dtype=np.float64))])
    start = int(np.argmax(energy[length:] - energy[: len(energy) - length]))
    return slice(start, start + length)


def _draw_spectrogram(axes, samples, sample_rate):
    axes.imshow(
        _spectrogram(samples, sample_rate).T,
        origin="lower",
        aspect="auto",
        extent=(0, len(samples) / sample_rate, 0, sample_rate / 2000),
        cmap="magma",
        vmin=_QUIETEST,
        vmax=_LOUDEST,
        interpolation="nearest",
    )
    axes.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.tick_params(length=2, width=0.6, pad=2, labelsize=7)


def _spectrogram(samples, sample_rate):
    """DB relative to a full-scale sine, [windows, bins]; about 400 Hann windows of 25 ms."""
    length = max(2, round(0.025 * sample_rate))
    padded = np.pad(samples.astype(np.float64), length // 2)
    if len(padded) < length:
        padded = np.pad(padded, (0, length - len(padded)))
    hop = max(1, len(samples) // 400)
    window = np.hanning(length + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop] * window
    amplitude = np.abs(np.fft.rfft(frames, 2 * length)) / (window.sum() / 2)
    return 20 * np.log10(np.maximum(amplitude, 1e-6))
