#!/usr/bin/env bash
# Makes the virtual environment, installs the lock and the program itself.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Meshscope needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1 || echo not there). Set PYTHON=/path/to/python3.11." >&2
    exit 1
fi
if ! "$venv/bin/python" -c '' 2>/dev/null; then
    "$python" -m venv "$venv"
fi
echo "Installing the locked dependencies into $venv ..." >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
"$venv/bin/python" hatch_build.py >/dev/null
touch "$venv/.ready"
