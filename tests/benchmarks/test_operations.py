"""benchmarks/operations.py: multiply-accumulates are those that one counts by hand."""

import pathlib

import pytest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


def test_work_a_pixel_is_what_the_layers_do(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from operations import macs_of
    from untrained_models import configured_model

    bls2017, autoregressive = (
        macs_of(configured_model(name, 4, latents))
        for name, latents in (("bls2017", None), ("channel_autoregressive", 8))
    )
    # N = 4: 9x9 from 3 channels at 1/16 of the pixels, 5x5 at 1/64 and 1/256, GDN after two.
    one_way = 81 * 3 * 4 / 16 + 25 * 16 * (1 / 64 + 1 / 256) + 16 * (1 / 16 + 1 / 64)
    assert bls2017.encoding == bls2017.decoding == pytest.approx(one_way)
    # M = 8 in 4 slices of 2, widths 64 and 32; all stacks at 1/256 of the pixels.
    hidden = 25 * 64 * 32 + 9 * 32 * 4
    predictors = sum(25 * (16 + 2 * slices) * 64 + hidden for slices in (1, 2, 3))
    hidden = 25 * 64 * 32 + 9 * 32 * 2
    refiners = sum(25 * (8 + 2 * slices) * 64 + hidden for slices in (1, 2, 3, 4))
    hyper = 25 * 4 * 8 / 16 + 25 * 8 * 12 / 4 + 9 * 12 * 16
    transforms = 25 * 3 * 4 / 4 + 25 * 16 * (1 / 16 + 1 / 64) + 25 * 4 * 8 / 256
    normalization = 16 * (1 / 4 + 1 / 16 + 1 / 64)
    expected = transforms + normalization + (predictors + refiners + hyper) / 256
    assert autoregressive.decoding == pytest.approx(expected)
