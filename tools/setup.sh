#!/bin/sh
# Makes .venv with a suitable Python and installs the pinned packages into it.
# PYTHON=/path/to/python chooses the interpreter; otherwise the first suitable one on the path is taken.
set -u
cd "$(dirname "$0")/.." || exit 1

need="Python 3.12, 3.13 or 3.14"
suitable='import sys; sys.exit(not (3, 12) <= sys.version_info[:2] < (3, 15))'
complete='import ensurepip, venv'
version='import sys; print("%d.%d.%d" % sys.version_info[:3])'
unfinished=.venv/.unfinished

stop() {
    echo "$1" >&2
    exit 1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.13 python3 python3.14 python3.12 python
    fi
    found=""
    for name; do
        has=$("$name" -c "$version" 2>/dev/null) || continue
        if ! "$name" -c "$suitable"; then
            found="${found:-$has ($name)}"
        elif ! "$name" -c "$complete" 2>/dev/null; then
            found="$has ($name), which lacks its venv module (on Debian and Ubuntu: apt install python3-venv)"
        else
            python=$name
            return
        fi
    done
    hint="install one and run make again, or name one with make PYTHON=/path/to/python."
    [ -n "$found" ] && stop "$need is needed, and found was Python $found: $hint"
    name=${PYTHON:-python3}
    # A version manager that lacks the version in .python-version answers for every name; its words help most.
    words="there is no $name"
    command -v "$name" >/dev/null && words="$name says: $("$name" --version 2>&1 | head -n 1)"
    stop "$need is needed, and none runs here ($words): $hint"
}

# A set-up that was cut short is begun again; an environment that works is kept.
if [ -e "$unfinished" ] || ! .venv/bin/python -c "import pip; $suitable" 2>/dev/null; then
    find_python
    echo "Making .venv with Python $("$python" -c "$version") …"
    "$python" -m venv --clear .venv || stop "The environment .venv could not be made; the lines above say why."
fi

echo "Installing the packages into .venv; the first time this takes some minutes …"
: >"$unfinished"
.venv/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e ".[dev]" ||
    stop "The packages could not be installed; the lines above say why. Run make again once that is put right."
rm "$unfinished"
touch .venv/.complete
