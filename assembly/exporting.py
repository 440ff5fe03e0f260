"""The transforms of a trained run as a SavedModel that TensorFlow alone can load.

Quantizer and entropy coder stay outside: what crosses the border are latents and their predictions.
"""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import Callable, Dict, List

import tensorflow as tf

from models import Autoencoder
from models.layers import with_edges_to_multiples


def export(model: Autoencoder, folder: pathlib.Path) -> List[str]:
    """Writes the SavedModel: ``folder`` appears whole or not at all.

    Args:
        model: trained; one of variable rate is exported at the rate that it is set to.
        folder: that is made; nothing may be there.

    Returns:
        The names of the signatures.

    Raises:
        ValueError: there is something.
    """
    if folder.exists():
        raise ValueError(f"--output {folder} exists.")
    exported = Exported(model)
    signatures = exported.signatures()
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    temporary.parent.mkdir(parents=True, exist_ok=True)
    try:
        tf.saved_model.save(exported, os.fspath(temporary), signatures=signatures)
        os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return list(signatures)


class Exported(tf.Module):
    """What is exported of a model, as graphs for signals of any size."""

    def __init__(self, model: Autoencoder):
        """Takes the trained model."""
        super().__init__(name="exported")
        # Only what has a part in the graphs is tracked, and saved.
        self._transforms, self._hyper = model.transforms, model.hyper
        # The setting is computed outside of graphs.
        setting = model.setting
        vars(self).update(_model=model if setting is None else model.at_rate(setting))

    def signatures(self) -> Dict[str, Callable]:
        """Name -> graph; all tensors are float32 but for sizes and scale indexes, int32."""
        transforms, hyper = self._transforms, self._hyper
        signals = _spec("signals", transforms.input_channels)
        values = _spec("values", transforms.latent_channels)
        graphs = {
            "analysis": _graph(self._analysis, signals),
            "synthesis": _graph(self._synthesis, values),
        }
        if hyper is None:
            return graphs
        hyper_values = _spec("hyper_values", hyper.latent_channels)
        shape = [tf.TensorSpec([], tf.int32, name) for name in ("rows", "columns")]
        latents = _spec("latents", transforms.latent_channels)
        graphs["hyper_analysis"] = _graph(self._hyper_analysis, latents)
        ends = [sum(hyper.slice_sizes[:number]) for number in range(len(hyper.slice_sizes))]
        for number, end in enumerate(ends):
            decoded = [_spec("decoded", end)] if number else []
            specs = [hyper_values, *shape, *decoded]
            graphs[f"prediction_{number}"] = _graph(self._prediction, *specs)
        whole = _spec("decoded", transforms.latent_channels)
        graphs["values"] = _graph(self._values, hyper_values, *shape, whole)
        return graphs

    def _analysis(self, signals):
        """Latents of signals of any size: the last row and column are repeated as needed."""
        padded = with_edges_to_multiples(signals, self._transforms.strides)
        padded = tf.ensure_shape(padded, [None, None, None, signals.shape[-1]])
        return {"latents": self._transforms.analysis(padded)}

    def _synthesis(self, values):
        return {"signals": self._transforms.synthesis(values)}

    def _hyper_analysis(self, latents):
        return {"hyper_latents": self._hyper.analysis(latents)}

    def _prediction(self, hyper_values, rows, columns, decoded=None):
        """Of the first slice that ``decoded`` lacks: its means, and rows of the coding tables."""
        predictor = self._predictor(hyper_values, rows, columns, decoded)
        prediction = predictor.next()
        results = {"indexes": tf.cast(prediction.indexes, tf.int32)}
        if prediction.means is not None:
            results["means"] = prediction.means
        if prediction.gains is not None:
            results["gains"] = prediction.gains
        if prediction.present is not None:
            results["present"] = prediction.present
        return results

    def _values(self, hyper_values, rows, columns, decoded):
        """Values for the synthesis of all decoded ones, which lack means and gains."""
        return {"values": self._predictor(hyper_values, rows, columns, decoded).decoded}

    def _predictor(self, hyper_values, rows, columns, decoded):
        predictor = self._model.predictor(hyper_values, rows, columns, exact=True)
        start = 0
        for size in self._model.slice_sizes if decoded is not None else ():
            if start == decoded.shape[-1]:
                break
            predictor.next()
            predictor.add(decoded[..., start : start + size])
            start += size
        return predictor


def _spec(name: str, channels: int) -> tf.TensorSpec:
    return tf.TensorSpec([None, None, None, channels], tf.float32, name)


def _graph(function: Callable, *specs: tf.TensorSpec) -> Callable:
    graph = tf.function(function, input_signature=specs, autograph=False)
    return graph.get_concrete_function()
