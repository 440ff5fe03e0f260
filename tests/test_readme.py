"""What the README shows works: its commands compose, its files exist, its new quantizer runs."""

import pathlib
import re
import shlex
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from omegaconf import OmegaConf

from assembly.parts import build_part

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [
    shlex.split(line.split("  #")[0]) for line in re.findall(r"^python .*$", README, re.MULTILINE)
]


def test_is_short():
    assert len(README.splitlines()) < 200


def test_names_every_quantizer_model_and_source():
    for group in ("quantizer", "model", "data", "distortion"):
        for path in (ROOT / "configs" / group).glob("*.yaml"):
            assert f"`{path.stem}`" in README, path


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_compose(words, compose):
    import hydra

    script, arguments = words[1], words[2:]
    assert (ROOT / script).is_file()
    if script == "train.py" and arguments != ["--help"]:
        config = compose(*arguments)
        assert build_part(config.quantizer).alphabet
    elif script == "evaluate.py":
        with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            assert hydra.compose("evaluate", overrides=arguments).run


def test_the_new_quantizer_runs():
    code, yaml = (
        re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)[1]
        for language in ("python", "yaml")
    )
    name = re.match(r"# quantizers/(\w+)\.py", code)[1]
    assert yaml.startswith(f"# configs/quantizer/{name}.yaml")
    module = types.ModuleType(f"quantizers.{name}")
    exec(code, module.__dict__)
    sys.modules[module.__name__] = module
    try:
        quantizer = build_part(OmegaConf.create({"seed": 1, "q": OmegaConf.create(yaml)}).q)
        y = tf.constant([0.2, 1.6])
        np.testing.assert_allclose(quantizer(y, training=True).decoder, [0.1, 1.8], atol=1e-6)
        np.testing.assert_array_equal(quantizer.encode(y), [0, 2])
    finally:
        del sys.modules[module.__name__]
