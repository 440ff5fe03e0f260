"""Forks processes that run commands, from one that has imported what takes them long to import.

A command is run as ``__main__`` with files for its output. A request is a line of standard input:
a JSON list of a folder, a working directory, further environment variables, the script and its
arguments. Its process is on its own and may be killed; its number is the answer, a line of standard
output. The folder gets its output in ``stdout`` and ``stderr`` and, when it has ended, ``status``:
a JSON list of exit status and seconds of CPU time.

A request without a script starts a process that runs many commands, one after another, and that
is asked and answers through the pipes ``requests`` and ``answers`` of the folder, in lines of JSON:
a list as above but for the folder; a list of status, output and errors.
"""

import atexit
import gc
import importlib
import importlib.util
import json
import os
import pathlib
import runpy
import signal
import sys
import tempfile
import traceback

IMPORTED = (
    "hydra", "matplotlib.backends.backend_svg", "matplotlib.figure", "scipy.signal", "scipy.stats",
    "skimage.metrics", "soundfile", "tensorflow.keras.layers", "tensorflow_datasets",
    "tensorflow_compression" if importlib.util.find_spec("tensorflow_compression")
    else "tensorflow_compression_ops",
)  # fmt: skip
"""None of them starts a thread, which a fork would lose, or TensorFlow's runtime."""


def run(folder, variables, script, *arguments):
    """As ``python script arguments`` in a folder: the status; output on the descriptors."""
    os.chdir(folder)
    os.environ.update(variables)
    sys.argv = [script, *arguments]
    sys.path[0] = str(pathlib.Path(script).parent)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def run_many(folder):
    with (folder / "requests").open() as requests, (folder / "answers").open("w") as answers:
        for line in requests:
            with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
                for file, descriptor in ((output, 1), (errors, 2)):
                    os.dup2(file.fileno(), descriptor)
                status = run(*json.loads(line))
                gc.collect()  # Locks of runs are open files.
                for file in (output, errors):
                    file.seek(0)
                answers.write(json.dumps([status, output.read(), errors.read()]) + "\n")
                answers.flush()


def fork(folder, command):
    """Forks the command's process and another that waits for it; returns its number."""
    for name in ("stdout", "stderr"):
        (folder / name).touch()
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        with os.fdopen(read) as pipe:
            return pipe.readline().strip()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        os.close(write)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # Even where tests ignore it.
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(folder / name, os.O_WRONLY), descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        status = run(*command) if command else run_many(folder)
        atexit._run_exitfuncs()  # os._exit does not, but must not return into the server.
        os._exit(status or 0)
    os.write(write, f"{process}\n".encode())
    os.close(write)
    _, status, usage = os.wait4(process, 0)
    answer = [os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime]
    (folder / ".status").write_text(json.dumps(answer))
    (folder / ".status").rename(folder / "status")
    os._exit(0)


def main():
    for name in IMPORTED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for those that wait.
    for line in sys.stdin:
        folder, *command = json.loads(line)
        print(fork(pathlib.Path(folder), command), flush=True)


main()
