"""Nodes of single parts, from their YAMLs alone."""

import numpy as np
import pytest

from assembly.choice_nodes import choice_node


def test_settings_change_the_yaml_by_dotted_keys():
    node = choice_node("data", "image_folder", {"root": ["/a", "/b"]})
    assert node["_target_"] == "data.ImageFolder" and node["root"] == ["/a", "/b"]
    node = choice_node("quantizer", "soft_round", {"decoder.alpha.end": 9}, steps=50, seed=3)
    assert node["decoder"]["alpha"]["end"] == 9 and node["decoder"]["alpha"]["end_step"] == 50
    assert node["rate"]["seed"] == 3
    assert choice_node("quantizer", node) == node


def test_settings_are_a_dict_of_what_a_yaml_may_hold():
    node = choice_node("quantizer", "finite_scalar", {"levels": np.array([3, 5])})
    assert node["levels"] == [3, 5]
    with pytest.raises(TypeError, match=r"^settings='levels=2' must be a dict\.$"):
        choice_node("quantizer", "mixed", "levels=2")
    with pytest.raises(TypeError, match=r"^settings: levels=<object .*> is no number, text, list"):
        choice_node("quantizer", "mixed", {"levels": object()})
    with pytest.raises(ValueError, match=r"^settings: quantizer has no 2"):
        choice_node("quantizer", "mixed", {2: 3})


def test_what_is_lacking_is_named():
    with pytest.raises(ValueError, match=r"data\.root must be given: data='image_folder'"):
        choice_node("data", "image_folder")
    with pytest.raises(ValueError, match="refers to what is not given: steps="):
        choice_node("quantizer", "soft_round", seed=1, steps=None)
