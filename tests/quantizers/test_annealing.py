"""Every annealed value is found: one that is forgotten keeps its value of step 0 in silence."""

import pytest
import tensorflow as tf

from assembly.parts import build_model, build_part, fill_slots
from quantizers import ScalarQuantizer, StraightThrough
from quantizers.base.contract import Annealed
from quantizers.base.slices import SlicedQuantizer

ANNEALS = {"decoder": "gaussian_noise", "rate": "annealed_noise"}
"""Quantizers whose slot of that name anneals."""
SMALL = ("model.transforms.num_filters=4", "data=tones", "steps=100")  # Audio models need a rate.


def annealed_within(part):
    """Every ``Annealed`` that is reached through attributes, lists and dicts, once each."""
    found, seen, waiting = [], set(), [part]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Annealed):
            found.append(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)
        elif hasattr(item, "__dict__") and not isinstance(item, (type, tf.Variable)):
            waiting.extend(vars(item).values())
    return found


def check(part):
    """``part.advance`` reaches everything within, ``part.annealed`` names everything."""
    within = annealed_within(part)
    assert {id(item) for item in within} == {id(item) for item in part.annealed.values()}
    # Constants too: another schedule may be configured for each of them.
    for number, item in enumerate(within):
        item.schedule = lambda step, number=number: 1000.0 * number + step
    for step in (7, 3):
        part.advance(step)
        assert [float(item.value) for item in within] == [
            1000.0 * number + step for number in range(len(within))
        ]
    return within


@pytest.fixture
def make(compose):
    """``make(name, slot, ...)``: a quantizer with surrogates that anneal in these slots.

    What ``quantizer@slot=NAME`` does, without composing each pair of names.
    """

    def make_quantizer(name, *slots):
        config = compose(f"quantizer={name}", "steps=100")
        for slot in slots:
            if slot not in config.quantizer:
                pytest.skip(f"it has no {slot} slot")
            config[slot] = compose(f"quantizer={ANNEALS[slot]}", "steps=100").quantizer
        return build_part(fill_slots(config).quantizer)

    return make_quantizer


def test_of_every_quantizer(make, quantizer_name):
    check(make(quantizer_name))


@pytest.mark.parametrize("slot", list(ANNEALS))
def test_of_every_slot(make, quantizer_name, slot):
    """A slot may hold any surrogate, whatever is in the quantizer's YAML."""
    assert check(make(quantizer_name, slot))


def test_of_both_slots_at_once(make, scalar_name):
    assert len(check(make(scalar_name, *ANNEALS))) == 2


def test_of_every_model(model_name, compose):
    """Also through the wrapper of slices, and in the side information's own quantizer."""
    config = compose(f"model={model_name}", *SMALL, "quantizer=annealed_noise")
    own = compose("quantizer=annealed_noise", "quantizer@hyper_quantizer=gaussian_noise")
    config.hyper_quantizer = own.hyper_quantizer
    model = build_model(config)
    quantizers = [model.quantizer, model.hyper_quantizer]
    assert len(check(model)) == len([quantizer for quantizer in quantizers if quantizer])


def test_the_wrapper_of_slices_knows_the_hard_phase():
    whole = ScalarQuantizer(decoder=StraightThrough(), hard_from_step=7)
    assert SlicedQuantizer(whole, [3, 3]).hard_from_step == 7
