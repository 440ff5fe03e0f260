"""scripts/plot_quantizers.py as a user runs it, and with a quantizer that it has never seen."""

import contextlib
import importlib.util
import io
import pathlib
import re
import shutil
import sys

import pytest
from PIL import Image

from evaluation.figures import surrogate_statistics

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "plot_quantizers.py"
NAMES = sorted(path.stem for path in (ROOT / "configs" / "quantizer").glob("*.yaml"))
SURROGATE = """
import tensorflow as tf
from quantizers.base.contract import ScalarSurrogate

class Third(ScalarSurrogate):
    def __call__(self, latents):
        return latents / 3
"""


def main():
    """What the script runs."""
    spec = importlib.util.spec_from_file_location("plot_quantizers", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main()


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """All quantizers, random ones from few draws; what was printed."""
    output = tmp_path_factory.mktemp("plots") / "new" / "folder"
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(surrogate_statistics, "_DRAWS", 80)
        patch.setattr(surrogate_statistics, "_CELL_DRAWS", 8)
        patch.setattr(sys, "argv", ["plot_quantizers.py", "--output", str(output)])
        main()
    return output, printed.getvalue()


def test_draws_all_and_prints_the_table(everything):
    output, printed = everything
    files = ["quantizers.md", "quantizers.png", "quantizers.svg", "soft_round.png"]
    assert sorted(path.name for path in output.iterdir()) == [*files, "soft_round.svg"]
    written = (output / "quantizers.md").read_text()
    table = [line for line in written.splitlines() if line.startswith("|")]
    assert "\n".join(table) in printed
    assert len({line.count("|") for line in table}) == 1
    assert (
        "| `soft_round` | alpha = 12 | 0.127 | 0.218 | 1.00 | 1.73 | 0.00 | 6.00 | 49% |" in table
    )
    assert "`soft_then_hard`, `uniform_noise`, `universal`" in written


def test_every_quantizer_is_in_the_table_or_skipped_with_a_reason(everything):
    output, printed = everything
    in_table = set(re.findall(r"`(\w+)`", (output / "quantizers.md").read_text()))
    skipped = re.findall(r"^skipped (.*): (.+)$", printed, re.MULTILINE)
    left_out = {name for names, _ in skipped for name in names.split(", ")}
    assert in_table | left_out == set(NAMES) and not in_table & left_out
    assert {"vector", "finite_scalar", "lattice"} <= left_out


def test_only_some(warm, tmp_path):
    result = warm(SCRIPT, "--only", "vector, ramp,mixed", "--output", str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".md", ".png", ".svg"]
    assert "skipped vector: " in result.stdout and "`ramp` | slope = 5.5" in result.stdout
    with Image.open(tmp_path / "quantizers.png") as image:
        assert image.width < 1440


def test_a_quantizers_md_of_somebody_else_stays(warm, tmp_path):
    (tmp_path / "quantizers.md").write_text("# Quantizers\n")
    result = warm(SCRIPT, "--only", "identity", "--output", str(tmp_path))
    assert result.returncode == 0 and "stays as it is" in result.stdout
    assert (tmp_path / "quantizers.md").read_text() == "# Quantizers\n"
    assert (tmp_path / "quantizers.png").exists()


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("ramp,rounding", f"--only 'rounding' must be one of {', '.join(NAMES)}."),
        ("", f"--only '' must be one of {', '.join(NAMES)}."),
        ("vector,lattice", "none of these has a curve over one latent"),
    ],
)
def test_mistakes_are_one_line_with_status_2_and_leave_nothing(warm, tmp_path, only, message):
    result = warm(SCRIPT, "--only", only, "--output", str(tmp_path / "plots"))
    assert result.returncode == 2
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "plots").exists()


def test_a_new_surrogate_is_one_python_file_and_one_yaml(tmp_path, monkeypatch, capsys):
    configs = tmp_path / "configs"
    shutil.copytree(ROOT / "configs", configs)
    (tmp_path / "third_of_it.py").write_text(SURROGATE)
    (configs / "quantizer" / "third.yaml").write_text(
        "_target_: quantizers.ScalarQuantizer\ndecoder: {_target_: third_of_it.Third}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("assembly.choices.CONFIGS", configs)
    command = ["plot_quantizers.py", "--only", "third", "--output", str(tmp_path / "plots")]
    monkeypatch.setattr(sys, "argv", command)
    main()
    row = "| `third` |  | 0.096 | 0.192 | 0.33 | 0.00 | 0.33 | 0.33 | 0% |"
    assert row in capsys.readouterr().out
    assert (tmp_path / "plots" / "quantizers.svg").exists()
