"""What each way to differentiate a round costs where probabilities become bits.

python benchmarks/binary_rounding.py [--only NAME,NAME] [--seeds 5] [--output FILE.csv]

Two small Keras models around ``roundtrip.QuantizerLayer`` with two levels, trained with each
quantizer from the same weights on the same batches:

* a classifier of two classes (the sign of a product), which must answer 0 or 1;
* an autoencoder of 8x8 gray patches of the embedded photographs through 32 bits.

Both are measured on held-out data, twice: on the bits, and on the values that training used.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Dict, List, Tuple

import numpy as np

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

import tensorflow as tf
import tensorflow_datasets as tfds

from assembly.user_errors import one_line_errors
from data.tfds_records import prepare_quietly
from processor.stack import set_random_seed
from roundtrip import AdvanceSchedules, QuantizerLayer
from signals.files import write_table

NAMES = (
    "straight_through",
    "identity_gradient",
    "identity",
    "sinusoidal",
    "fourier",
    "ramp",
    "sigmoid",
    "soft_round",
    "uniform_noise",
)
"""The usual answers, in the order of docs/differentiable_round.md, and noise."""

EPOCHS, BATCH = 30, 32

PATCH = 8
"""Pixels along each side."""

BITS = 32
"""Of the autoencoder, per patch."""

Data = Tuple[np.ndarray, np.ndarray]


def main() -> None:
    """Trains, prints a Markdown table of means and ranges, and writes every run as CSV."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(NAMES), help="comma-separated quantizers")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each, at least 1")
    parser.add_argument("--output", help="CSV file of every run")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error(f"--seeds={arguments.seeds} must be at least 1.")
    names = [name.strip() for name in arguments.only.split(",")]
    with one_line_errors():
        for name in names:  # A mistake is found before anything is trained.
            binary_layer(name, 0, 1)
        rows = [measure(name, seed) for name in names for seed in range(arguments.seeds)]
        print(table(rows))
        if arguments.output:
            write_table(arguments.output, rows[0], rows)


def measure(name: str, seed: int) -> Dict[str, object]:
    """Accuracies and errors of both models of one quantizer and seed."""
    points, signs = products(seed, 2000)
    set_random_seed(seed)
    classifier = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(32, "relu"),
            tf.keras.layers.Dense(1, "sigmoid"),
            binary_layer(name, seed, steps_of(points)),
        ]
    )
    fit(classifier, points, signs, seed)
    points, signs = products(seed + 1000, 4000)
    train, test = patches("train"), patches("test")
    set_random_seed(seed)
    autoencoder = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(128, "relu"),
            tf.keras.layers.Dense(BITS, "sigmoid"),
            binary_layer(name, seed, steps_of(train)),
            tf.keras.layers.Dense(128, "relu"),
            tf.keras.layers.Dense(PATCH * PATCH),
        ]
    )
    fit(autoencoder, train, train, seed)
    row: Dict[str, object] = {"quantizer": name, "seed": seed}
    for key, training in (("", False), ("_training", True)):
        answers = classifier(points, training=training).numpy()
        row[f"errors_percent{key}"] = float(100 * np.mean((answers > 0.5) != (signs > 0.5)))
        decoded = autoencoder(test, training=training).numpy()
        row[f"psnr{key}"] = float(-10 * np.log10(np.mean(np.square(decoded - test))))
    return row


def binary_layer(name: str, seed: int, steps: int) -> QuantizerLayer:
    """From numbers to 0 or 1."""
    return QuantizerLayer(name, settings={"levels": 2}, steps=steps, seed=seed)


def steps_of(inputs: np.ndarray) -> int:
    """Of a whole training."""
    return EPOCHS * -(-len(inputs) // BATCH)


def fit(model: tf.keras.Model, inputs: np.ndarray, targets: np.ndarray, seed: int) -> None:
    """Trains on the squared error."""
    model.compile(tf.keras.optimizers.Adam(0.003), "mse")
    # Keras shuffles by the global seed, so runs of one seed see the same batches.
    set_random_seed(seed)
    callbacks = [AdvanceSchedules()]
    model.fit(inputs, targets, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=callbacks)


def products(seed: int, count: int) -> Data:
    """Points of the plane, and whether the product of their coordinates is positive."""
    points = np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)
    return points, (points[:, :1] * points[:, 1:] > 0).astype(np.float32)


def patches(split: str) -> np.ndarray:
    """Gray patches float32 ``[count, 64]`` in 0..1 of the embedded photographs of a split."""
    prepare_quietly("photos", None, "Writing the photographs", __name__)
    found: List[np.ndarray] = []
    for example in tfds.as_numpy(tfds.load("photos", split=split)):
        gray = example["image"].astype(np.float32).mean(-1)[::2, ::2] / 255
        rows, columns = (size // PATCH for size in gray.shape)
        blocks = gray[: rows * PATCH, : columns * PATCH].reshape(rows, PATCH, columns, PATCH)
        found.append(blocks.transpose(0, 2, 1, 3).reshape(-1, PATCH * PATCH))
    return np.concatenate(found)[:: 4 if split == "train" else 1]


def table(rows: List[Dict[str, object]]) -> str:
    """Means over seeds, with the range in brackets."""
    columns = ("errors_percent", "errors_percent_training", "psnr", "psnr_training")
    lines = [
        "| quantizer | wrong answers (%) | training value | PSNR (dB) | training value |",
        "|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["quantizer"] for row in rows):
        cells = [f"`{name}`"]
        for column in columns:
            values = [row[column] for row in rows if row["quantizer"] == name]
            spread = f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.1f}{spread}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
