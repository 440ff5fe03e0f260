"""Roundtrip from Python: docs/python.md and docs/keras.md show what there is."""

from evaluation.results import Results
from processor.stack import keras
from roundtrip.keras_layer import AdvanceSchedules, QuantizerLayer
from roundtrip.runs import Run, compare, load, train

__all__ = [
    "AdvanceSchedules",
    "QuantizerLayer",
    "Results",
    "Run",
    "compare",
    "keras",
    "load",
    "train",
]
