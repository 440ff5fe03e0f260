"""Which interpreter `make` takes, and what it says where none fits."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "find_python.sh"
TOOLS = [shutil.which(name) for name in ("sh", "mkdir")]
FITTING = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
TOO_NEW = "#!/bin/sh\nexit 1\n"


@pytest.fixture
def find(tmp_path):
    """``find({"python3": text}, *arguments)``: the script with these commands alone."""

    def find(commands, *arguments):
        folder = tmp_path / "bin"
        folder.mkdir()
        for tool in TOOLS:
            (folder / pathlib.Path(tool).name).symlink_to(tool)
        for name, text in commands.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        environment = {"PATH": str(folder), "HOME": os.environ.get("HOME", str(tmp_path))}
        return subprocess.run(
            ["sh", str(SCRIPT), *arguments],
            capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environment,
        )  # fmt: skip

    return find


def uv(tmp_path, *, finds, downloads):
    """A stand-in for uv that finds an interpreter at once, after a download, or never."""
    found = f"echo {tmp_path}/bin/python-of-uv"
    if not finds:
        found = f"test -e {tmp_path}/downloaded && {found}"
    install = f": >{tmp_path}/downloaded" if downloads else "echo no network; exit 1"
    return f'#!/bin/sh\ncase "$2" in find) {found} ;; install) {install} ;; esac\n'


def test_the_first_that_fits(find):
    done = find({"python3": TOO_NEW, "python3.12": TOO_NEW, "python3.11": FITTING})
    assert (done.returncode, done.stdout, done.stderr) == (0, "python3.11\n", "")


def test_one_that_is_named(find, tmp_path):
    done = find({"python3": FITTING, "mine": FITTING}, "mine")
    assert (done.returncode, done.stdout) == (0, "mine\n")


@pytest.mark.parametrize("name", ["newer", "missing"])
def test_one_that_is_named_and_does_not_fit(find, name):
    done = find({"python3": FITTING, "newer": TOO_NEW}, name)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"error: PYTHON={name}: Python 3.10, 3.11 or 3.12 is needed")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("finds", [True, False])
def test_uv_finds_or_downloads_one(find, tmp_path, finds):
    commands = {"python3": TOO_NEW, "uv": uv(tmp_path, finds=finds, downloads=True)}
    done = find({**commands, "python-of-uv": FITTING})
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/bin/python-of-uv\n")
    assert "uv found" in done.stderr and ("downloads Python 3.12" in done.stderr) == (not finds)


def test_where_uv_has_no_network(find, tmp_path):
    commands = {"python3": TOO_NEW, "uv": uv(tmp_path, finds=False, downloads=False)}
    done = find({**commands, "python-of-uv": FITTING})
    assert done.returncode == 1 and done.stdout == ""
    notes, error = done.stderr.strip().rsplit("\n", 1)
    assert "build/uv.log says why" in notes
    assert (tmp_path / "build" / "uv.log").read_text() == "no network\n"
    assert "uv python install 3.12" in error and "make PYTHON=/path/to/python3.12" in error


def test_where_pip_installs_no_uv(find):
    done = find({"python3": TOO_NEW})
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: Python 3.10, 3.11 or 3.12 is needed")
