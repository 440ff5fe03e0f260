"""Runs the commands that it is sent, one after another, each as ``__main__`` with files for output.

One command a line of standard input: a JSON list of the script and its arguments. One answer a line
of standard output: its status and what it wrote.

With ``--fork``, each command is a process of its own, which may be killed: the answer is its number
and, when it has ended, a second line with its status and seconds of CPU time. Output goes to the
file that is named before the script.
"""

import gc
import importlib
import json
import os
import pathlib
import runpy
import sys
import tempfile
import traceback


def run(script, *arguments):
    """As ``python script arguments``: the status, and output on the descriptors themselves."""
    sys.argv = [script, *arguments]
    sys.path[0] = str(pathlib.Path(script).parent)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main():
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            for file, descriptor in ((output, 1), (errors, 2)):
                os.dup2(file.fileno(), descriptor)
            status = run(*json.loads(line))
            gc.collect()  # Locks of runs are open files.
            sys.stdout.flush()
            sys.stderr.flush()
            for file in (output, errors):
                file.seek(0)
            answers.write(json.dumps([status, output.read(), errors.read()]) + "\n")
            answers.flush()


def fork():
    """Commands inherit what takes them long to import; no thread is running yet."""
    for name in ("tensorflow.keras.layers", "matplotlib.figure", "scipy.stats", "skimage.metrics"):
        importlib.import_module(name)
    for line in sys.stdin:
        output, *command = json.loads(line)
        process = os.fork()
        if process == 0:
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            status = run(*command)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        print(process, flush=True)
        _, status, usage = os.wait4(process, 0)
        answer = [os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime]
        print(json.dumps(answer), flush=True)


fork() if "--fork" in sys.argv else main()
