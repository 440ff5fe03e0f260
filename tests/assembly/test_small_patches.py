"""Training warns of patches that hold too few hyper-latents to learn the interior of an image."""

import pytest

from assembly.media import small_patch_warning
from assembly.parts import build_model, build_part


@pytest.mark.parametrize(
    ("model", "patch_size", "warned"),
    [("hyperprior", 64, True), ("hyperprior", 128, False), ("bls2017", 64, False)],
)
def test_patches_of_fewer_than_two_hyper_latents_along_each_axis(
    compose, model, patch_size, warned
):
    config = compose(
        f"model={model}", "model.transforms.num_filters=4", f"data.patch_size={patch_size}"
    )
    warning = small_patch_warning(build_part(config.data), build_model(config))
    assert (warning is not None) == warned
    if warned:
        assert "data.patch_size=64 should be at least 128" in warning
