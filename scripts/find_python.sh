#!/bin/sh
# Prints an interpreter that fits, for `make`: sh scripts/find_python.sh [INTERPRETER]
# Without an argument it is the first of those below that fits; where none does, uv finds or downloads
# one. Notes go to standard error.
fits='import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))'
rule='Python 3.10, 3.11 or 3.12 is needed (docs/installation.md)'

if [ -n "$1" ]; then
  if "$1" -c "$fits" 2>/dev/null; then echo "$1"; exit; fi
  echo "error: PYTHON=$1: $rule." >&2
  exit 1
fi

for candidate in python3 python3.11 python3.12 python3.10; do
  if "$candidate" -c "$fits" 2>/dev/null; then echo "$candidate"; exit; fi
done

find_with() {  # uv
  python=$("$1" python find --no-python-downloads '>=3.10,<3.13' 2>/dev/null) &&
    "$python" -c "$fits" 2>/dev/null
}

uv=$(command -v uv || command -v build/uv/bin/uv)
if [ -z "$uv" ] && python3 -m venv build/uv 2>/dev/null; then
  echo "note: no Python 3.10, 3.11 or 3.12 on the PATH: installing uv in build/uv to find one" >&2
  build/uv/bin/python -m pip install --quiet uv >build/uv.log 2>&1 && uv=build/uv/bin/uv
fi
if [ -n "$uv" ]; then
  if ! find_with "$uv"; then
    echo "note: $uv downloads Python 3.12" >&2
    mkdir -p build
    "$uv" python install 3.12 >build/uv.log 2>&1 ||
      echo "note: the download failed; build/uv.log says why" >&2
  fi
  if find_with "$uv"; then
    echo "note: $uv found $python" >&2
    echo "$python"
    exit
  fi
fi
echo "error: $rule: install one with 'uv python install 3.12' (after 'pip install uv'), or name one: make PYTHON=/path/to/python3.12" >&2
exit 1
