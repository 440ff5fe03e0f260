"""Mistakes in the commands of benchmarks end in one line, before anything is measured."""

import sys

import pytest


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("binary_rounding.py", "--only", "identity,soft_rund"), "did you mean 'soft_round'?"),
        (("binary_rounding.py", "--only", "vector"), "settings: quantizer has no 'levels'"),
        (("stacks.py", "/nowhere/python"), "/nowhere/python: there is no such program."),
        (("stacks.py", sys.executable, "--precisions", "float33"), "among float32, bfloat16."),
        (("stacks.py", sys.executable, "--models", "lapped"), "among bls2017, factorized, hyper"),
    ],
)
def test_a_mistake_ends_in_one_line(warm, command, message):
    script, *words = command
    done = warm(f"benchmarks/{script}", *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert message in done.stderr.splitlines()[-1]
