"""CITATION.cff is about the version that pyproject.toml has."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent


def test_version_and_license_are_those_of_the_distribution():
    citation = (ROOT / "CITATION.cff").read_text()
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"', project, re.MULTILINE)[1]
    assert f"\nversion: {version}\n" in citation
    assert "\nlicense: Apache-2.0\n" in citation and '{text = "Apache-2.0"}' in project
