"""Trains one codec, codes held-out files with it and reports their rate and distortion.

python train.py quantizer=soft_round lmbda=0.013
python train.py -m experiment=compare_quantizers
"""

from __future__ import annotations

import contextlib
import functools
import io
import sys

from processor.process import set_process

if __name__ == "__main__":
    set_process()  # Before the imports that take long.

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from assembly.choices import checked, run_name
from assembly.command_line import run_command
from assembly.user_errors import one_line_errors
from training.settings import Settings, register_settings


@hydra.main(version_base="1.3", config_path="configs", config_name="train")
def main(config: DictConfig) -> None:
    """Entry point: one run, or one job of a sweep."""
    with one_line_errors():
        train(config, run_name(config, HydraConfig.get()))


def train(config: DictConfig, run: str) -> None:
    """Trains ``run`` to its end, resuming where it stopped, and evaluates it."""
    import tensorflow as tf

    from training.distribution import Distribution

    # Workers must connect before TensorFlow Compression is imported, which starts the runtime.
    distribution = Distribution(config.strategy)

    from assembly.axes import axes_of
    from assembly.media import check_classical, check_fit, small_patch_warning
    from assembly.parts import build_model, build_part, fill_slots, saved_form
    from assembly.prolonging import check_prolonged
    from assembly.selection import Selection
    from assembly.trust import targets_of
    from assembly.warm_start import start_from
    from evaluate import evaluate
    from evaluation.report import read_tables
    from sweeps.evaluations import fits
    from training.monitor import event_folder, write_outcome
    from training.run_directory import RunDirectory
    from training.run_names import run_path
    from training.step import TrainStep

    config = fill_slots(config)
    config.run = run  # May have been an interpolation of Hydra's choices, which are not saved.
    settings = checked(Settings, config)
    # All parts are built before the run directory is created: a mistake leaves nothing behind.
    tf.config.experimental.enable_op_determinism()
    source = build_part(config.data)
    distortion = build_part(config.distortion)
    with distribution.scope():
        model = build_model(config)
        optimizer = build_part(config.optimizer)
        lmbda_factor = build_part(config.lmbda_factor)
        train_step = TrainStep(
            model, distortion, optimizer, settings.lmbda, lmbda_factor, distribution
        )
    distribution.check(settings.batch_size, *filter(None, (model.quantizer, model.hyper_quantizer)))
    check_fit(source, model, distortion)
    check_classical(source.medium, settings.classical)
    directory = RunDirectory(run_path(run))
    if settings.init_from and (settings.overwrite or not directory.started):
        print(start_from(model, settings.init_from, targets_of(config)), flush=True)
    fit_model = functools.partial(
        _fit, settings, source, model, train_step, optimizer, distortion, directory, distribution
    )
    if not distribution.is_chief:
        distribution.wait()
        if not _is_trained(directory):
            with contextlib.redirect_stdout(io.StringIO()):
                fit_model()
        return
    check = functools.partial(check_prolonged, saved_form(config), directory.path)
    directory.open(saved_form(config), settings.overwrite, check, source.files)
    distribution.wait()
    print(f"run directory: {directory.path}", flush=True)
    if _is_trained(directory):
        print(f"training is finished ({settings.steps} steps); overwrite=true starts anew.")
    else:
        with directory.removed_on_error(unless=lambda: int(optimizer.iterations) > 0):
            print(source.describe(), flush=True)
            print(model.transforms.describe(), flush=True)
            warning = small_patch_warning(source, model)
            if warning:
                print(warning, file=sys.stderr, flush=True)
            fit_model()
    selection = Selection(source, "test", settings.test_images)
    if selection.is_empty:
        print(f"{source.name_of('test')}: the test split has no files, so none is measured.")
        return
    name = selection.name_in(directory.results, source.name_of("test"))
    path = directory.results / f"{name}.json"
    tables = read_tables(path.with_suffix(".txt"))
    # The command may ask for other files or classical codecs than the one before.
    if tables is not None and fits(path, directory.model, selection, settings.classical):
        print(tables)
        return
    results = evaluate(
        str(directory.path),
        source,
        split="test",
        limit=settings.test_images,
        classical=settings.classical,
        trusted=targets_of(config),
    )
    write_outcome(
        event_folder(directory.path),
        str(directory.path),
        settings.steps,
        directory.config_file.read_text(),
        axes_of(config),
        results.point,
    )


def _is_trained(directory) -> bool:
    """Whether there is a whole model; warns of one that is damaged, which is made again."""
    from training.checkpoints import damaged_weights

    reason = damaged_weights(directory.model / "weights") if directory.trained else None
    if reason is not None:
        warning = f"warning: the model in {str(directory.model)!r} is damaged ({reason}); "
        print(f"{warning}restoring it from the last checkpoint.", file=sys.stderr, flush=True)
    return directory.trained and reason is None


def _fit(
    settings, source, model, train_step, optimizer, distortion, directory, distribution
) -> None:
    from assembly.media import validation_signals
    from training.best import BestWeights
    from training.checkpoints import Checkpoints, save_model
    from training.loop import Interrupted, fit, input_rate
    from training.monitor import Monitor, event_folder
    from training.step import NonFiniteGradient
    from training.validation import MOST_FILES, Validation

    def batches_from(step):
        return source.training_batches(
            batch_size=settings.batch_size, seed=settings.seed, first_step=step
        )

    rate = input_rate(batches_from(0), settings.batch_size)
    pieces = "segments" if source.medium == "audio" else "patches"
    print(f"input pipeline alone: {rate:.0f} {pieces}/s", flush=True)
    signals = validation_signals(source, model, MOST_FILES)
    writes = distribution.is_chief
    config = directory.config_file.read_bytes() if writes else None
    checkpoints = Checkpoints(directory.checkpoints, model, optimizer, writes, config)
    best = BestWeights(directory.checkpoints, model, writes)
    if directory.trained and checkpoints.newest_step is None:
        raise ValueError(
            f"there is no whole checkpoint in {str(directory.checkpoints)!r} to restore the model "
            "from: overwrite=true starts anew."
        )
    try:
        with distribution.folder(directory.path) as folder:
            fit(
                model=model,
                train_step=train_step,
                checkpoints=checkpoints,
                batches_from=batches_from,
                settings=settings,
                folder=folder,
                monitor=Monitor(event_folder(folder), model, next(iter(signals), None)),
                validate=Validation(
                    folder / "validation.csv",
                    model,
                    distortion,
                    settings.lmbda,
                    signals,
                    checkpoints.newest_step or 0,
                ),
                best=best,
                distribution=distribution,
            )
    except Interrupted as stop:
        print(f"{stop} The same command resumes.", file=sys.stderr)
        sys.exit(128 + stop.signum)
    except NonFiniteGradient as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(3)
    if distribution.is_chief:
        best.save_model(directory.best, model, checkpoints, config)
        if not model.frozen:
            model.freeze()
        save_model(model, directory.model, config)


if __name__ == "__main__":
    register_settings()
    run_command(main, "train")
