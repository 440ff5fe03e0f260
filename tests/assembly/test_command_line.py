"""Names on the command line as they are typed, and what Hydra's errors become."""

import hydra
import pytest
import tensorflow as tf
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from assembly.argument_types import check_numbers
from assembly.choices import CONFIGS, checked, did_you_mean
from assembly.command_line import as_typed, quoted
from assembly.explanations import explain
from assembly.parts import build_part
from assembly.user_errors import one_line_errors
from evaluation.settings import EvaluationSettings
from training.settings import Settings

NAMES = [
    "20241126", "007", "1e3", "2024.10", "1_000", "true", "a b", "a=b", "a(1)", "a,b", "été",
    "日本", "[x]/run", "/a/b-1.0", "runs/1_0", "{a}", "it's", 'a"b', "a#b", "a\\b", "a\\", "$HOME",
    "glob(*)", "nan", "a ", " a\t",
]  # fmt: skip


def value_of(override):
    return OverridesParser.create().parse_override(override).value()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["run", "data.root", "+data.root"])
def test_names_are_as_typed(key, name):
    assert value_of(as_typed(f"{key}={name}")) == name
    assert value_of(f"run={quoted(name)}") == name


@pytest.mark.parametrize(
    "override",
    [
        "run=null", "run=plain-1", "run='already'", "run=${oc.env:RUN}", "runs=[a,b]", "steps=10",
        "data.root=[/a,/b]", "seed=0,1", "quantizer=glob(*)", "run=runs/compare-*", "run=",
    ],
)  # fmt: skip
def test_all_else_is_left_to_hydra(override):
    assert as_typed(override) == override


def test_digits_in_a_list_and_values_of_a_sweep():
    assert value_of(as_typed("runs=[2024,a,2025]")) == ["2024", "a", "2025"]
    assert as_typed("data.root=/a,/b", multirun=True) == "data.root=/a,/b"
    assert value_of(as_typed("data.root=/a,/b")) == "/a,/b"


def explained(command, *overrides):
    if command == "train" and not overrides[0].startswith("quantizer="):
        overrides = ("quantizer=soft_round", *overrides)  # Which has an alpha.
    settings = {"train": Settings, "evaluate": EvaluationSettings}[command]
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        try:
            config = hydra.compose(command, overrides=list(overrides))
            checked(settings, config)
            build_part(config.data)
            build_part(config.get("quantizer"))
        except Exception as error:
            return " ".join(explain(error).split())
    return None


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("step=100", "step: there is no such key; did you mean 'steps'? --help lists them."),
        ("quantiser=mixed", "quantiser: there is no such key; did you mean 'quantizer'?"),
        ("quantizer.decoder.alfa=7", "quantizer.decoder.alfa: .* did you mean 'alpha'?"),
        ("+quantizer.decoder.alfa=7", "SoftRound has no argument 'alfa'; did you mean 'alpha'?"),
        ("alpha=7", "did you mean 'quantizer.decoder.alpha'?"),
        ("quantizer@decodr=mixed", "no such group; did you mean 'quantizer@decoder'?"),
        ("quantizer=mixd", "quantizer='mixd' must be one of .*; did you mean 'mixed'?"),
        ("refinement=sga", "refinement: this command has no such group."),
        ("lmbda=0,01", "commas separate the values of a sweep, .* did you mean lmbda=0.01?"),
        ("classical=JPEG,WebP", "which needs -m; a list is classical=[JPEG,WebP]"),
        ("steps=1e3", "steps=1e3 must be a whole number; did you mean steps=1000?"),
        ("steps=1.5", "steps=1.5 must be a whole number."),
        ("lmbda=high", "lmbda=high must be a number."),
        ("overwrite=perhaps", "overwrite=perhaps must be true or false."),
        ("classical=JPEG", "classical=JPEG must be a list"),
        ("+step=100", "step=100: there is no such key; did you mean 'steps'?"),
        ("steps", "steps: settings are KEY=VALUE"),
        ("batch_size=a(b)", """quote the value twice: 'batch_size="a(b)"'"""),
        ("quantizer.levels=two", "quantizer.levels='two' must be a whole number."),
        ("quantizer.levels=2.5", "quantizer.levels=2.5 must be a whole number."),
        ("quantizer.hard_from_step=true", "quantizer.hard_from_step=True must be a whole number."),
        ("quantizer.decoder.alpha.end=nan", "quantizer.decoder.alpha.end=nan must be a number."),
        ("data.patch_size=null", "data.patch_size=null must be a whole number."),
        ("quantizer=diveq quantizer.dim=two", "quantizer.dim='two' must be a whole number."),
        ("quantizer=diveq quantizer.variance=nan", "quantizer.variance=nan must be a number."),
        ("quantizer=vector quantizer.codebook_size=1e3", "codebook_size=1000.0 must be a whole"),
        ("quantizer=vector quantizer.kmeans_steps=1.5", "kmeans_steps=1.5 must be a whole number"),
        (
            "quantizer=diveq +quantizer.rotation_trick=true",
            "DirectionalVectorQuantizer has no argument 'rotation_trick'",
        ),
        (
            "quantizer=finite_scalar quantizer.levels=[8,null]",
            "quantizer.levels=[8, None] must be a list of whole numbers.",
        ),
        (
            "quantizer=finite_scalar quantizer.levels=8",
            "quantizer.levels=8 must be a list of whole numbers.",
        ),
        ("quantizer.levels=[2]", "quantizer.levels=[2] must be a whole number."),
        ("quantizer.rate=0", "rate=0 must be a scalar surrogate."),
        ("quantizer.decoder.alpha.end=", "quantizer.decoder.alpha.end='' must be a number."),
        ("data=image_folder", "data.root must be given: data.root=VALUE."),
        (
            "quantizer.decoder.alpha={_target_: quantizers.base.schedules.Linaer, start: 1}",
            "there is no quantizers.base.schedules.Linaer; did you mean 'Linear'?",
        ),
    ],
)
def test_mistakes_of_training_name_the_word_that_was_meant(override, line):
    import re

    pattern = re.escape(line).replace(r"\.\*", ".*")
    choice = [] if override.startswith(("quantizer=", "quantiser=")) else ["quantizer=soft_round"]
    explanation = explained("train", *choice, *(override.split() if choice == [] else [override]))
    assert re.search(pattern, explanation), explanation


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["lmit=3"], "lmit: there is no such key; did you mean 'limit'?"),
        (["+lmit=3", "run=a"], "lmit=3: there is no such key; did you mean 'limit'?"),
        (["limit=2.5"], "limit=2.5 must be a whole number."),
        (["run=a", "limit=0"], "limit=0 must be at least 1."),
        (["run=a", "split=tset"], "split='tset' must be one of train, validation, test, all."),
        (["run=a", "n_jobs=0"], "n_jobs=0 must be at least 1."),
        (["refinement=sgaa"], "must be one of rdoq, sga; did you mean 'sga'?"),
        ([], "run=None, runs=None, pretrained=None: give one of them."),
    ],
)
def test_evaluation_has_types_too(overrides, line):
    assert line in explained("evaluate", *overrides)


def test_what_is_right_passes(compose):
    alpha = "quantizer.decoder.alpha=7"
    assert explained("train", "quantizer=soft_round", alpha, "seed=3") is None
    until = "quantizer.decoder.alpha.end_step=2e3"  # As runs have it.
    assert explained("train", "quantizer=soft_round", until, "quantizer.levels=null") is None
    check_numbers(compose("model=hyperprior", "quantizer=residual_vector"))


def test_only_similar_words_are_suggested():
    assert did_you_mean("JPG", ["WebP", "JPEG"]) == "; did you mean 'JPEG'?"
    assert did_you_mean("zebra", ["WebP", "JPEG"]) == "."


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "No space left\non device"),
         "error: No space left on device\n"),
        (tf.errors.NotFoundError(None, None, "{{function_node x}} /a; gone [Op:SaveV2]"),
         "error: /a; gone\n"),
        (OSError(28, "No space left on device", "/a"),
         "error: [Errno 28] No space left on device: '/a'\n"),
        (HydraException("a\nb"), "error: a b\n"),
        (MemoryError("Unable to allocate 3 GiB"),
         "error: not enough memory: Unable to allocate 3 GiB\n"),
    ],
)  # fmt: skip
def test_errors_of_libraries_are_one_line(capsys, error, line):
    with pytest.raises(SystemExit) as ended, one_line_errors():
        raise error
    assert ended.value.code == 2 and capsys.readouterr().err == line


def test_our_own_faults_are_not_hidden():
    with pytest.raises(ZeroDivisionError), one_line_errors():
        raise ZeroDivisionError
