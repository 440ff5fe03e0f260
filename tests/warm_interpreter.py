"""Runs the commands that it is sent, one after another, each as ``__main__`` with files for output.

One command a line of standard input: a JSON list of the script and its arguments. One answer a line
of standard output: its status and what it wrote.
"""

import gc
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


main()
