"""Exports the transforms of a trained run as a SavedModel, for TensorFlow without Roundtrip.

python scripts/export.py --run runs/NAME --output exported
"""

from __future__ import annotations

import argparse
import pathlib

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

from assembly.user_errors import one_line_errors


def main() -> None:
    """Loads the run, writes the SavedModel, prints its signatures."""
    parser = argparse.ArgumentParser(description="Export a run's transforms as a SavedModel.")
    parser.add_argument("--run", required=True, help="run directory, or its name under runs/")
    parser.add_argument("--output", required=True, type=pathlib.Path, metavar="FOLDER")
    parser.add_argument(
        "--checkpoint", default="last", help="last (default) or best: the lowest validation loss"
    )
    parser.add_argument(
        "--quality", type=float, metavar="Q", help="0 to 100, for a run of rate=variable"
    )
    parser.add_argument(
        "--config-dir", metavar="FOLDER", help="configuration folder of your own that the run used"
    )
    arguments = parser.parse_args()
    with one_line_errors():
        from assembly.exporting import export
        from assembly.saved_run import load_run
        from assembly.trust import targets_named

        trusted = targets_named(arguments.config_dir)
        saved = load_run(arguments.run, trusted=trusted, checkpoint=arguments.checkpoint)
        saved = saved if arguments.quality is None else saved.at_quality(arguments.quality)
        names = export(saved.codec.model, arguments.output)
        print(f"{arguments.output}: {', '.join(names)}")


if __name__ == "__main__":
    main()
