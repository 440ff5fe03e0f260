"""What every quantizer and every scalar surrogate offers.

A *scalar surrogate* replaces rounding during training. It maps latents to values of the same shape
and knows nothing of models, data or coding. A *quantizer* fills the rate slot and the decoder slot,
and alone knows what happens after training: integer symbols and the values decoded from them.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Dict, NamedTuple, Optional, Sequence, Tuple, Union

import tensorflow as tf

from quantizers.base.annealing import Annealed, find_annealed
from quantizers.base.grids import INTEGER_GRID, Layout
from quantizers.base.schedules import Schedule, as_schedule


@dataclasses.dataclass(frozen=True)
class Integers:
    """Alphabet of integers on a line: one symbol for each latent.

    Attributes:
        grids: where the symbols lie; most quantizers have one grid.
        size: None for all integers; K for 0..K - 1 alone, on the grid of integers.
    """

    grids: Tuple[Callable, ...] = (INTEGER_GRID,)
    size: Optional[int] = None
    kind = "integers"


@dataclasses.dataclass(frozen=True)
class Indices:
    """Finite alphabets, one for each symbol channel.

    Attributes:
        sizes: number of different symbols of each channel: 0..size - 1.
    """

    sizes: Tuple[int, ...]
    kind = "indices"


class Quantized(NamedTuple):
    """What a quantizer makes of latents ``[..., channels]``.

    Attributes:
        rate_input: float32, what the entropy model counts bits of. With an ``Integers`` alphabet:
            values of the latents' shape. With ``Indices``: probabilities of the symbols,
            ``[..., symbol channels, max(sizes)]``, one-hot but for their gradients.
        decoder_input: float32, the latents' shape: the value that the synthesis transform sees.
        penalty: float32 scalar, added to the training loss.
    """

    rate_input: tf.Tensor
    decoder_input: tf.Tensor
    penalty: tf.Tensor

    def straight_through(self, latents: tf.Tensor) -> Quantized:
        """The same values of integers, whose gradient also passes to the latents, unchanged."""
        nothing = latents - tf.stop_gradient(latents)
        return self._replace(
            rate_input=self.rate_input + nothing, decoder_input=self.decoder_input + nothing
        )


class Quantizer(tf.Module):
    """Base of all quantizers: what models, entropy models and codecs may ask for.

    A subclass implements ``_train``, ``encode`` and ``decode``; the rest has defaults for a
    quantizer of one grid without parameters.

    Law: ``decode(encode(y))`` is what the decoder sees with ``training=False``, bit for bit. NaN
    stays NaN there and in training, and has no symbol.

    Attributes:
        file_seed: None, or the seed of a dither: the codec writes it into the file and passes it
            to ``decode`` and ``layout``.
        hard_from_step: training step from which on the analysis transform is frozen and both slots
            hold what they hold after training ("soft then hard"); None: never.
        equal_cells: False if the cells of a grid are learned one by one. Refinement, which moves
            latents by whole steps, refuses these.
        stages: number of refinement stages of which a file may hold the first few; 1: all or none.
    """

    file_seed: Optional[int] = None
    hard_from_step: Optional[int] = None
    equal_cells: bool = True
    stages: int = 1
    _training_step = 0

    def _set_hard_from_step(self, step: Optional[int]) -> None:
        if step is not None and step < 0:
            raise ValueError(f"hard_from_step={step} must be at least 0, or null.")
        self.hard_from_step = step

    def build(self, channels: int) -> None:
        """Creates what depends on the number of latent channels; called once, before all else."""

    @property
    def alphabet(self) -> Union[Integers, Indices]:
        """What the symbols are; known after ``build``."""
        return Integers()

    def for_slice(self, number: int) -> Quantizer:
        """The quantizer of one of several arrays in a file, which shares all variables with it.

        Another object only if results depend on more than latents, as with a dither.
        """
        del number
        return self

    def __call__(self, latents: tf.Tensor, training: bool) -> Quantized:
        """Inputs of entropy model and decoder; changes no state but that of random generators.

        Args:
            latents: floating point ``[..., channels]``.
            training: True for the surrogates (until the hard phase), False for what is coded.
        """
        if training and not self.in_hard_phase:
            return self._train(tf.cast(latents, tf.float32))
        symbols = self.encode(latents)
        values = with_nan_of(latents, self.decode(symbols))
        return Quantized(self._rate_input(symbols, values), values, tf.zeros([]))

    def _train(self, latents: tf.Tensor) -> Quantized:
        """What ``__call__`` returns in training, for float32 latents."""
        raise NotImplementedError

    def _rate_input(self, symbols: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        """The entropy model's input for coded symbols and their values."""
        del symbols
        return values

    def update(self, latents: tf.Tensor) -> None:
        """Learns from a training batch's latents what gradients do not teach; once a step."""
        del latents

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        """Symbols int32 ``[..., symbol channels]`` of latents ``[..., channels]``."""
        raise NotImplementedError

    def decode(self, symbols: tf.Tensor, seed: Optional[int] = None) -> tf.Tensor:
        """Values float32 ``[..., channels]`` of symbols; ``seed`` as in the file."""
        raise NotImplementedError

    def layout(self, channels: int, seed: Optional[int] = None) -> Layout:
        """How an ``Integers`` alphabet's symbols ``[rows, columns, channels]`` are coded."""
        del seed
        return Layout(channels)

    @property
    def coding_settings(self) -> Dict[str, object]:
        """What decides, besides variables, how symbols are made and read after training."""
        return {}

    @property
    def coding_variables(self) -> Sequence[tf.Variable]:
        """Variables that ``encode`` and ``decode`` depend on."""
        return ()

    @property
    def in_hard_phase(self) -> bool:
        """Whether ``advance`` has reached ``hard_from_step``."""
        return self.hard_from_step is not None and self._training_step >= self.hard_from_step

    @property
    def annealed(self) -> Dict[str, Annealed]:
        """Everything within that follows a schedule, by its name in logs."""
        return find_annealed(self)

    def advance(self, step: int) -> None:
        """Brings all that depends on the training step to ``step`` (from 0)."""
        self._training_step = step
        for annealed in self.annealed.values():
            annealed.advance(step)


class ScalarSurrogate(tf.Module):
    """Base of the scalar surrogates: differentiable replacements of rounding to the integers.

    A subclass hands its constructor's arguments to this one and implements ``__call__``, which is
    evaluated in training only: afterwards every surrogate is ``tf.round``.

    Attributes:
        annealed: what follows a schedule, by name.
    """

    def __init__(self, **settings):
        """Keeps the settings: two surrogates of one class with equal settings are the same."""
        super().__init__(name=type(self).__name__)
        self._settings = settings
        self.annealed: Dict[str, Annealed] = {}

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        """Training values for float32 ``latents`` of any shape; same shape, float32."""
        raise NotImplementedError

    def same_as(self, other: ScalarSurrogate) -> bool:
        """Whether the two compute the same, so that one sample can serve both slots."""
        return type(self) is type(other) and self._settings == other._settings

    def _anneal(self, name: str, value: Union[float, Schedule], *, minimum: float) -> tf.Variable:
        """Registers a hyper-parameter, number or schedule, that must never fall below a minimum."""
        schedule = as_schedule(value)
        if schedule.bounds[0] < minimum:
            raise ValueError(f"{name}={value!r} of {self.name} must be at least {minimum:g}.")
        self.annealed[name] = Annealed(schedule, name)
        return self.annealed[name].value


def with_nan_of(latents: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Values, NaN where latents are: no symbol says NaN, which a model that diverged must show."""
    return tf.where(tf.math.is_nan(tf.cast(latents, tf.float32)), float("nan"), values)


def check_slots(**slots: ScalarSurrogate) -> None:
    """Raises ValueError unless every slot holds a scalar surrogate."""
    for slot, surrogate in slots.items():
        if not isinstance(surrogate, ScalarSurrogate):
            raise ValueError(f"{slot}={surrogate!r} must be a scalar surrogate.")
