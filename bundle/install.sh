#!/bin/sh
# Installs netprov @VERSION@ from this bundle into a virtual environment of its own; it needs Python @PYTHON@ and no network.
#   sh install.sh [PREFIX=/opt/netprov]         run it again with a newer bundle to upgrade; PYTHON= names another Python
# It touches nothing but PREFIX: `PREFIX/bin/netprov install` says what services would need beside it.
set -eu
cd "$(dirname "$0")"
prefix=${1:-/opt/netprov}
python=${PYTHON:-python3}

found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || {
    echo "there is no $python here: install Python @PYTHON@, or name it: PYTHON=/usr/bin/python@PYTHON@ sh install.sh" >&2
    exit 2
}
if [ "$found" != @PYTHON@ ]; then
    echo "$python is Python $found, and this bundle has packages for @PYTHON@: name one, PYTHON=/usr/bin/python@PYTHON@ sh install.sh, or take the bundle for $found" >&2
    exit 2
fi
sha256sum --check --quiet SHA256SUMS || {
    echo "this bundle is not as it was built: copy it here again" >&2
    exit 3
}
umask 022
"$python" -m venv --without-pip "$prefix"
pip() { PIP_CONFIG_FILE=/dev/null "$prefix/bin/python" "$(echo wheels/pip-*.whl)/pip" --disable-pip-version-check --no-input "$@"; }
pip install --quiet --no-index --no-deps --require-hashes --find-links wheels -r requirements.lock
pip install --quiet --no-index --no-deps --force-reinstall wheels/netprov-*.whl
pip check
"$prefix/bin/netprov" --version
echo "Next: $prefix/bin/netprov install says what services need beside it, and --apply does it"
