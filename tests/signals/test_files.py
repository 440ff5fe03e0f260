"""Files are written whole or not at all, whatever ends the process that writes them."""

import errno
import os
import pathlib
import signal
import stat
import subprocess
import sys
import time

import pytest

from signals import files
from signals.files import write_atomically

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITER = """
import pathlib, sys
from signals.files import write_atomically
while True:
    write_atomically(sys.argv[1], bytes(2**24))
    print("written", flush=True)
"""


@pytest.fixture(params=["unnamed", "named"])
def kind(request, monkeypatch):
    """With and without what Linux has for this."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)


def test_replaces_a_file_and_obeys_the_umask(tmp_path, kind):
    path = tmp_path / "new" / ("n" * 255)
    for data in (b"one", b"two"):
        write_atomically(path, data)
        assert path.read_bytes() == data and os.listdir(path.parent) == [path.name]
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "private", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "fchmod"), reason="the system has no permissions")
@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_a_replaced_file_keeps_its_permissions(tmp_path, kind, mode):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "a").chmod(mode)
    write_atomically(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_what_was_there(tmp_path, kind, monkeypatch, call):
    write_atomically(tmp_path / "a", b"before")

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "a", b"after")
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"before"


def test_an_error_names_the_file_and_no_temporary_one(tmp_path, kind):
    path = tmp_path / ("n" * 256)
    with pytest.raises(OSError, match=f"File name too long: '{path}'$") as caught:
        write_atomically(path, b"data")
    assert caught.value.errno == errno.ENAMETOOLONG and os.listdir(tmp_path) == []


def test_what_is_no_regular_file_stays(tmp_path, kind):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = os.stat("/dev/null")
    for path in (tmp_path / "folder", tmp_path / "pipe", pathlib.Path("/dev/null")):
        with pytest.raises(ValueError, match=f"^{path} cannot be written: it is not a regular"):
            write_atomically(path, b"data")
    assert os.path.samestat(before, os.stat("/dev/null"))
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]


def test_a_link_stays_and_its_file_is_replaced(tmp_path, kind):
    (tmp_path / "folder").mkdir()
    link, file = tmp_path / "link", tmp_path / "folder" / "file"
    link.symlink_to("folder/file")
    for data in (b"first", b"second"):
        write_atomically(link, data)
        assert link.is_symlink() and file.read_bytes() == data
    assert os.listdir(file.parent) == ["file"]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="a file without a name is Linux's")
def test_a_kill_leaves_nothing_behind(tmp_path):
    for number in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "a")], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"written\n"
        time.sleep(0.003 * number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").stat().st_size == 2**24
