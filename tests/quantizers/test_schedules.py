"""Schedules: what every class of quantizers/base/schedules.py must do, then shapes and errors."""

import dataclasses
import inspect

import numpy as np
import pytest

from quantizers.base import schedules
from quantizers.base.schedules import Constant, Cosine, Exponential, Linear, Step, as_schedule

EVERY = [
    each
    for name, each in inspect.getmembers(schedules, inspect.isclass)
    if each.__module__ == schedules.__name__ and not name.startswith("_") and name != "Schedule"
]
SHAPES = [each for each in EVERY if "start_step" in each.__dataclass_fields__]
FIELDS = {
    **{"value": 3.0, "values": [2.0, 16.0, 1.0], "boundaries": [10, 20]},
    **{"start": 1.0, "end": 16.0, "start_step": 10, "end_step": 20},
}
"""Values that any schedule's constructor may ask for; all that changes does so at 10 to 20."""


def make(schedule):
    names = [field.name for field in dataclasses.fields(schedule)]
    return schedule(**{name: FIELDS[name] for name in names})


def test_all_classes_are_found():
    assert {Constant, Linear, Exponential, Cosine, Step} <= set(EVERY)
    assert set(SHAPES) == {Linear, Exponential, Cosine}


@pytest.mark.parametrize("every", EVERY)
def test_is_a_pure_function_of_the_step(every):
    steps = [0, 9, 10, 11, 15, 19, 20, 25]
    schedule, twin = make(every), make(every)
    values = [schedule(step) for step in steps]
    assert all(type(value) is float for value in values)
    assert values[::-1] == [twin(step) for step in reversed(steps)] and schedule == twin
    assert hash(schedule) == hash(twin)


@pytest.mark.parametrize("every", EVERY)
def test_bounds_are_reached_and_kept(every):
    schedule = make(every)
    values = [schedule(step) for step in range(40)]
    assert schedule.bounds == (min(values), max(values))
    assert all(type(bound) is float for bound in schedule.bounds)


@pytest.mark.parametrize("every", EVERY)
def test_is_clamped_at_both_ends(every):
    schedule = make(every)
    assert len({schedule(step) for step in range(10)}) == 1
    assert len({schedule(step) for step in (20, 21, 10**9)}) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_holds_both_ends(shape):
    schedule = make(shape)
    assert schedule(0) == schedule(10) == 1.0
    assert schedule(20) == schedule(10**9) == 16.0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ends", [(1.0, 16.0), (16.0, 1.0)])
def test_is_monotonic(shape, ends):
    schedule = shape(start=ends[0], end=ends[1], end_step=50)
    differences = np.diff([schedule(step) for step in range(51)])
    assert (np.sign(differences) == np.sign(ends[1] - ends[0])).all()


def test_middles():
    assert Linear(start=1, end=16, end_step=10)(5) == 8.5
    assert Exponential(start=1, end=16, end_step=10)(5) == pytest.approx(4)
    assert Cosine(start=1, end=16, end_step=10)(5) == pytest.approx(8.5)
    assert Cosine(start=0, end=1, end_step=4)(1) == pytest.approx((1 - np.cos(np.pi / 4)) / 2)


def test_step_changes_at_its_boundaries():
    schedule = Step(values=[3, 7, 15], boundaries=[10, 20])
    assert [schedule(step) for step in (0, 9, 10, 19, 20, 99)] == [3, 3, 7, 7, 15, 15]
    assert schedule == Step(values=(3, 7, 15), boundaries=(10, 20))


def test_a_number_is_a_constant():
    assert as_schedule(7) == Constant(7)
    assert as_schedule(7)(123) == 7.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(start=1, end=2, end_step=0), "end_step=0.*start_step < end_step"),
        (lambda: Linear(start=1, end=2, start_step=-1, end_step=5), "start_step=-1"),
        (lambda: Linear(start=float("nan"), end=2, end_step=5), "start=nan must be a finite"),
        (lambda: Exponential(start=0, end=2, end_step=5), "start=0.*both > 0"),
        (lambda: Step(values=[1, 2], boundaries=[]), "one value more"),
        (lambda: Step(values=[1, 2, 3], boundaries=[5, 5]), "rising order"),
        (lambda: Constant("7"), "value='7' must be a finite number"),
        (lambda: as_schedule("fast"), "'fast' is neither a number nor a schedule"),
    ],
)
def test_errors_name_the_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()
