"""The transform that begins as a lapped transform codec."""

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model, build_part
from models import lapped_basis
from models.lapped import THRESHOLD, LappedTransforms
from models.slice_context import PHASES, slice_sizes
from models.tiling import apply_in_tiles
from processor.stack import set_random_seed


def make(**settings):
    set_random_seed(0)
    defaults = dict(lmbda=0.013, latent_channels=48, num_filters=8, pixel_filters=8)
    return LappedTransforms(**{**defaults, **settings})


@pytest.fixture(scope="module")
def photograph(compose):
    pixels = next(build_part(compose().data).images("validation")).pixels
    return tf.cast(pixels[np.newaxis, :256, :320], tf.float32)


@pytest.mark.parametrize("size", [4, 16])
def test_basis_is_orthonormal_also_over_the_overlap(size):
    basis = lapped_basis.lapped_orthogonal_transform(size)
    left, right = basis[:, :size], basis[:, size:]
    np.testing.assert_allclose(basis @ basis.T, np.eye(size), atol=1e-12)
    np.testing.assert_allclose(left @ right.T, 0, atol=1e-12)
    even, odd = basis[0::2], basis[1::2]
    np.testing.assert_allclose(even, even[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(odd, -odd[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(lapped_basis.COLORS @ lapped_basis.COLORS.T, np.eye(3), atol=1e-12)


def test_basis_compacts_more_than_the_cosine_transform():
    """Coding gain of 8 samples for a correlation of .95, in dB; that of the DCT is well known."""

    def coding_gain(basis):
        distances = np.subtract.outer(np.arange(basis.shape[1]), np.arange(basis.shape[1]))
        variances = np.diag(basis @ 0.95 ** np.abs(distances) @ basis.T)
        return -10 * np.mean(np.log10(variances))

    assert coding_gain(lapped_basis._cosines(8)) == pytest.approx(8.83, abs=0.01)
    assert coding_gain(lapped_basis.lapped_orthogonal_transform(8)) > 9.2


def test_all_frequencies_reconstruct_any_image_up_to_its_borders():
    transforms = make(latent_channels=768)
    transforms._analysis.layers[-1].threshold.assign(tf.zeros(768))
    image = tf.random.stateless_uniform([2, 48, 32, 3], [0, 1], 0, 255)
    np.testing.assert_allclose(transforms.synthesis(transforms.analysis(image)), image, atol=0.01)


def test_an_untrained_model_is_a_codec(photograph):
    transforms = make(latent_channels=320)
    latents = tf.round(transforms.analysis(photograph))
    decoded = transforms.synthesis(latents)
    mse = tf.reduce_mean(tf.square(decoded - photograph))
    assert mse < 60  # 30 dB
    assert np.mean(latents == 0) > 0.8


def test_spreads_are_those_of_a_photograph(photograph):
    transforms = make(latent_channels=320)
    transforms._analysis.layers[-1].threshold.assign(tf.zeros(320))
    latents = transforms.analysis(photograph)
    measured = np.sqrt(np.mean(np.square(latents), axis=(0, 1, 2)))
    logarithms = np.log(measured / transforms.latent_spreads)
    assert abs(np.mean(logarithms)) < 0.8 and np.std(logarithms) < 0.9


def test_a_threshold_widens_the_zero_bin():
    shrinkage = make()._analysis.layers[-1]
    edge = 0.5 + THRESHOLD
    values = tf.constant([0.0, edge - 0.01, edge + 0.01, -edge + 0.01, -edge - 0.01, 20.0])
    outputs = shrinkage(tf.tile(values[:, tf.newaxis], [1, 48]))[:, 0]
    np.testing.assert_array_equal(tf.round(outputs), [0, 0, 1, 0, -1, 20])


def test_tiles_give_the_whole(photograph):
    transforms = make()
    for number, variable in enumerate(transforms.trainable_variables):
        variable.assign_add(0.02 * tf.random.stateless_normal(variable.shape, [number, 1]))
    for direction, inputs in (
        ("analysis", photograph),
        ("synthesis", transforms.analysis(photograph)),
    ):
        whole = getattr(transforms, direction)(inputs)
        tiled = apply_in_tiles(transforms, direction, inputs, whole=16, tile=4)
        np.testing.assert_allclose(tiled, whole, atol=1e-3 * np.abs(whole).max())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(lmbda=0.0), "lmbda=0.0 must be above 0"),
        (dict(step_factor=-1), "step_factor=-1 must be above 0"),
        (dict(step_factor=np.inf), "step_factor=inf must be above 0 and finite"),
        (dict(latent_channels=769), "latent_channels=769 must be 1 to 768"),
        (dict(blocks=-1), "blocks=-1 must be at least 0"),
        (dict(num_filters=0), "num_filters=0 must be at least 1"),
        (dict(slices=0, phases=4), "slices=0 must be at least 1"),
        (dict(slices=-1, phases=4), "slices=-1 must be at least 1"),
        (dict(precision="float16"), "precision='float16' must be one of"),
    ],
)
def test_errors_name_the_argument(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_phases_repeat_the_first_channels_and_keep_the_untrained_codec(photograph):
    plain, phased = make(slices=3), make(slices=3, phases=4)
    first = slice_sizes(48, 3)[0]
    latents = phased.analysis(photograph)
    assert phased.latent_channels == latents.shape[-1] == 48 + 3 * first
    for repeat in tf.split(latents[..., : 4 * first], 4, axis=-1):
        np.testing.assert_array_equal(repeat, plain.analysis(photograph)[..., :first])
    kept = np.zeros([*latents.shape[1:3], latents.shape[-1]], np.float32)
    kept[..., 4 * first :] = 1
    for number, (row, column) in enumerate(PHASES):
        kept[row::2, column::2, number * first : (number + 1) * first] = 1
    np.testing.assert_allclose(
        phased.synthesis(latents * kept), plain.synthesis(plain.analysis(photograph)), atol=1e-3
    )


def test_a_phase_depends_on_the_phases_before_it_alone(compose):
    """By the scale indexes: a changed latent changes those of later phases at its neighbors."""
    model = build_model(compose("model=lapped_large", "precision=float32"))
    noise = np.random.default_rng(0)
    for variable in model.hyper.trainable_variables:
        variable.assign_add(noise.normal(0, 0.05, variable.shape))
    size = model.slice_sizes[0]

    def indexes(changed):
        predictor = model.predictor(tf.zeros([1, 2, 2, 64]), 6, 6, exact=True)
        found = []
        for number, (row, column) in enumerate(PHASES):
            prediction = predictor.next()
            found.append(prediction.indexes.numpy()[0])
            assert not found[-1][prediction.present[..., 0] == 0].any()
            latents = np.zeros([1, 6, 6, size], np.float32)
            latents[0, 2 + row, 2 + column] = 5 * (number == changed)
            predictor.add(tf.constant(latents))
        return np.stack(found)

    plain = indexes(None)
    for changed in range(len(PHASES)):
        differs = (indexes(changed) != plain).any(-1)
        assert not differs[: changed + 1].any()
        assert differs[changed + 1 :].any(axis=(1, 2)).all()
