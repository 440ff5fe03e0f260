import os
import pathlib
import platform
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

FAULTS = """
import resource, sys
import numpy as np
if sys.argv[1] == "kept":
    from processor.process import set_process
    set_process()
np.ones(2**24)  # 128 MiB: 32768 pages.
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    np.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


INTERRUPTED = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name in ("hydra", "numpy", "omegaconf", "yaml"):
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
"""
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
COMMANDS = {
    **{path.name: [str(path)] for path in (ROOT / "train.py", ROOT / "evaluate.py", *SCRIPTS)},
    "rtc": ["-c", "from commands.console import main; main()"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_while_a_command_imports_is_one_line(name, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, *COMMANDS[name]],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def run(*command, **environment):
    rest = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    done = subprocess.run(
        [sys.executable, "-c", *command],
        env={**rest, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of GNU's C library")
def test_freed_tensors_are_used_again():
    given_back, kept = int(run(FAULTS, "given back")), int(run(FAULTS, "kept"))
    # Huge pages, where the system makes them by itself, are 512 times fewer.
    assert kept < 20 and given_back >= 4 * 32768 // 512


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is for x86")
def test_onednn_is_on_unless_the_user_says_otherwise():
    state = (
        "from processor.process import set_process; set_process();"
        "from tensorflow.python.framework import test_util;"
        "print(test_util.IsMklEnabled())"
    )
    assert run(state) == "True"
    assert run(state, TF_ENABLE_ONEDNN_OPTS="0") == "False"
