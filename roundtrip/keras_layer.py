"""Any quantizer as a Keras layer, and the callback that advances its schedules."""

from __future__ import annotations

import math
import numbers
import pkgutil
import warnings
from typing import Any, Dict, Iterator, Mapping, Optional, Union

import numpy as np
import tensorflow as tf
from omegaconf import OmegaConf

from assembly.choice_nodes import choice_node
from assembly.parts import build_part
from processor.stack import keras
from quantizers import Quantizer, ScalarSurrogate
from training.saved_values import check_references


# Keras finds a layer of a file within a functional model by its registration alone.
@keras.saving.register_keras_serializable("roundtrip")
class QuantizerLayer(keras.layers.Layer):
    """Rounds its input, with a gradient: ``[..., channels]`` to float32 of the same shape.

    While training, the output is the quantizer's surrogate; otherwise, what a decoder would see.
    The quantizer's penalty, where it has one, joins the model's loss. All arithmetic is float32,
    whatever the policy, and ``.keras`` files and weights hold every variable, noise included.

    Example:
        >>> layer = QuantizerLayer("straight_through")
        >>> layer(tf.constant([[0.2, 1.7]])).numpy()
        array([[0., 2.]], dtype=float32)

    Attributes:
        quantizer: see ``quantizers``; built for the channels of the first input.
        entropy: the entropy model, or None.
    """

    def __init__(
        self,
        quantizer: Union[str, Mapping[str, Any]] = "mixed",
        *,
        settings: Optional[Mapping[str, Any]] = None,
        steps: Optional[int] = None,
        seed: int = 0,
        entropy: Optional[str] = None,
        rate_weight: float = 1.0,
        **layer: Any,
    ):
        """Builds the quantizer.

        Args:
            quantizer: name of a YAML in ``configs/quantizer``, or a dict as such a YAML holds.
            settings: changes to it by dotted key: ``{"levels": 2}`` for probabilities to 0 and 1,
                ``{"decoder.alpha": 7}``.
            steps: training steps, for quantizers that anneal until the last; needs
                ``AdvanceSchedules`` in ``fit``.
            seed: of the noise; two layers of one seed draw equal noise.
            entropy: "auto" or another name in ``configs/entropy``: ``rate_weight`` times the mean
                bits of an example join the loss, and the bits are a metric. None: no rate.
            rate_weight: for example 1 / (height * width) for bits per pixel.
            layer: ``name`` and ``trainable``.

        Raises:
            ValueError: an argument is out of its range, or the dict names other classes than
                quantizers, surrogates and schedules.
        """
        if layer.pop("dtype", "float32") != "float32":
            raise ValueError("dtype: quantizers compute in float32; leave it out.")
        super().__init__(dtype="float32", **layer)
        if not isinstance(rate_weight, numbers.Real) or not 0 <= rate_weight < math.inf:
            raise ValueError(f"rate_weight={rate_weight!r} must be a finite number, at least 0.")
        if steps is not None and (not isinstance(steps, numbers.Real) or not steps >= 1):
            raise ValueError(f"steps={steps!r} must be a number, at least 1, or None.")
        # A file may be a stranger's: no argument brings classes or the environment into it.
        if not isinstance(seed, numbers.Integral):
            raise ValueError(f"seed={seed!r} must be a whole number.")
        if entropy is not None and not isinstance(entropy, str):
            raise ValueError(f"entropy={entropy!r} must be a name, or None.")
        check_references({"settings": settings})
        node = choice_node("quantizer", quantizer, settings, steps=steps, seed=seed)
        _check_classes(node)
        # Not a dict, which Keras would change into one that tracks.
        self._arguments = OmegaConf.create(
            dict(quantizer=node, entropy=entropy, rate_weight=float(rate_weight))
        )
        self._make_entropy = entropy and build_part(
            OmegaConf.create(choice_node("entropy", entropy))
        )
        self.quantizer = build_part(self._arguments.quantizer)
        if not isinstance(self.quantizer, Quantizer):
            raise ValueError(f"quantizer={quantizer!r} must be a quantizer, not a surrogate.")
        self.entropy = None
        self._bits = entropy and keras.metrics.Mean(f"{self.name}_bits")
        self._is_advanced = False

    def build(self, input_shape) -> None:
        """Creates what depends on the channels, which must be known."""
        channels = tf.TensorShape(input_shape)[-1] if len(input_shape) else None
        if channels is None:
            raise ValueError(f"{self.name}: input shape {input_shape} must end in a known size.")
        self.quantizer.build(channels)
        if self._make_entropy:
            self.entropy = self._make_entropy(
                channels=channels, alphabet=self.quantizer.alphabet, conditional=False
            )
        super().build(input_shape)

    @tf.autograph.experimental.do_not_convert  # Converting all that it calls takes seconds.
    def call(self, inputs: tf.Tensor, training: Optional[bool] = None) -> tf.Tensor:
        """Values float32 ``[..., channels]`` of latents of any floating type."""
        training = bool(training)
        if training and not self._is_advanced and self._has_schedule:
            warnings.warn(
                f"{self.name}: its schedules stay at their start: give fit() the callback "
                "AdvanceSchedules, or call advance(step) before each step.",
                stacklevel=2,
            )
        quantized = self.quantizer(inputs, training=training)
        self.add_loss(quantized.penalty)
        if self.entropy is not None:
            bits = self.entropy.bits(quantized.rate_input)
            self.add_loss(self._arguments.rate_weight * tf.reduce_mean(bits))
            self._bits.update_state(bits)
        if training and self.trainable and not self.quantizer.in_hard_phase:
            self.quantizer.update(tf.cast(inputs, tf.float32))
        return quantized.decoder_input

    def advance(self, step: int) -> None:
        """Brings all that depends on the training step to ``step`` (from 0)."""
        self.quantizer.advance(step)
        self._is_advanced = True

    def compute_output_shape(self, input_shape) -> tf.TensorShape:
        """The input's."""
        return tf.TensorShape(input_shape)

    def get_config(self) -> Dict[str, Any]:
        """The constructor's arguments, the quantizer as a dict that needs no YAML."""
        return {**super().get_config(), **OmegaConf.to_container(self._arguments)}

    def save_own_variables(self, store) -> None:
        """Keras by itself saves none of them: they belong to modules that are no layers."""
        for name, variable in self._state():
            store[name] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Restores all variables; ValueError if the file has others."""
        state = dict(self._state())
        if state.keys() != set(store.keys()):
            different = ", ".join(sorted(state.keys() ^ set(store.keys())))
            raise ValueError(f"{self.name}: the file is of another quantizer ({different}).")
        for name, variable in state.items():
            variable.assign(np.array(store[name]))

    def _state(self) -> Iterator:
        """Names and variables, of random generators too."""

        def of_kinds(value):
            return isinstance(value, (tf.Variable, tf.random.Generator))

        for part in ("quantizer", "entropy"):
            module = getattr(self, part) or tf.Module()
            for path, item in module._flatten(predicate=of_kinds, with_path=True):
                variable = item.state if isinstance(item, tf.random.Generator) else item
                yield ".".join(map(str, (part, *path))), variable

    @property
    def _has_schedule(self) -> bool:
        bounds = [annealed.schedule.bounds for annealed in self.quantizer.annealed.values()]
        return self.quantizer.hard_from_step is not None or any(a != b for a, b in bounds)


class AdvanceSchedules(keras.callbacks.Callback):
    """Brings every ``QuantizerLayer`` of the model to the optimizer's step, before each step.

    A model that is trained further goes on where its optimizer was.
    """

    def set_model(self, model: keras.Model) -> None:
        """Finds the layers, however deep; ValueError if Keras takes many steps between calls."""
        at_once = model._steps_per_execution
        at_once = 1 if at_once is None else int(at_once)
        # The names of TensorFlow 2.14's Keras and of 2.17's.
        tuned = ("enable_tune_steps_per_execution", "autotune_steps_per_execution")
        if any(getattr(model, name, False) for name in tuned):
            at_once = "auto"
        if at_once != 1:
            raise ValueError(
                f"steps_per_execution={at_once} must be 1 in compile(): AdvanceSchedules cannot "
                "advance between the steps of one execution."
            )
        super().set_model(model)
        self._layers = [part for part in model.submodules if isinstance(part, QuantizerLayer)]

    def on_train_batch_begin(self, batch: int, logs: Optional[Dict[str, Any]] = None) -> None:
        """Advances; the step is traced anew when a quantizer enters its hard phase."""
        before = self._hard_phases()
        for layer in self._layers:
            layer.advance(int(self.model.optimizer.iterations))
        if self._hard_phases() != before:
            self.model.make_train_function(force=True)

    def _hard_phases(self):
        return [layer.quantizer.in_hard_phase for layer in self._layers]


def _check_classes(node: Any) -> None:
    """A file may be a stranger's: the classes that it names are quantizers or parts of these."""
    if isinstance(node, dict) and "_target_" in node and not _is_part(node["_target_"]):
        raise ValueError(
            f"_target_={node['_target_']!r} must be a quantizer, a surrogate or a schedule."
        )
    children = node.values() if isinstance(node, dict) else node
    for child in children if isinstance(node, (dict, list)) else ():
        _check_classes(child)


def _is_part(target: Any) -> bool:
    try:
        part = pkgutil.resolve_name(target)
    except (ImportError, AttributeError, TypeError, ValueError):
        return False
    kinds = (Quantizer, ScalarSurrogate)
    return isinstance(part, type) and (issubclass(part, kinds) or hasattr(part, "bounds"))
