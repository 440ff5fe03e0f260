"""Every classical codec of the package, found by its module."""

import pytest

from evaluation.classical import classical_codecs


def pytest_generate_tests(metafunc):
    for fixture in ("classical", "audio_codec"):
        if fixture in metafunc.fixturenames:
            known = classical_codecs().items()
            names = [n for n, c in known if fixture == "classical" or c.medium.name == "audio"]
            metafunc.parametrize(fixture, names, indirect=True)


def usable(name):
    codec = classical_codecs()[name]
    try:
        codec.require()
    except ValueError as error:
        pytest.skip(str(error))
    return codec


@pytest.fixture
def classical(request):
    """Each codec; skipped if its package is not installed."""
    return usable(request.param)


@pytest.fixture
def audio_codec(request):
    return usable(request.param)


@pytest.fixture
def example(classical, photos, sounds):
    """A small file of the codec's medium."""
    return photos[2] if classical.medium.name == "image" else sounds[0]
