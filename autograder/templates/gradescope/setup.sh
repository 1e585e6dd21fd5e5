#!/usr/bin/env bash
# Builds the environment that submissions are graded in, once. Gradescope runs this as root, with this folder at
# /autograder/source. Without a wheelhouse beside it, pip fetches what requirements.txt pins.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

suits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
find_python() {
    for name in "${PYTHON:-python3}" python3.11 python3.12 python3.13 python3.14; do
        if suits "$name"; then command -v "$name"; return; fi
    done
    return 1
}
if ! python=$(find_python); then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 11) else "3.11")')
    apt-get install -qq --yes --no-install-recommends "python$version" "python$version-venv"
    python=$(find_python)
fi

"$python" -m venv venv
pip=(venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir)
if [ -d wheels ]; then
    pip+=(--no-index --find-links wheels)
elif [ -s torch-index ]; then
    "${pip[@]}" --index-url "$(cat torch-index)" --constraint constraints.txt torch
fi
"${pip[@]}" --constraint constraints.txt --requirement requirements.txt
"${pip[@]}" --no-deps engine/*.whl
rm -rf wheels  # installed; the image need not hold it twice
venv/bin/python -m compileall -q venv/lib >/dev/null || true

chmod -R go= .  # the checks, the solution and the labels: for root only
venv/bin/autograder doctor --homework homework
