#!/usr/bin/env bash
# Wheel and sdist on every Python 3.11 to 3.14 of this machine (on the path, or kept by pyenv or uv).
#   scripts/check-package.sh             base install
#   scripts/check-package.sh --local     also with torch and one model
#   scripts/check-package.sh --one       only the Python of the repository's environment: what CI runs
set -euo pipefail
cd "$(dirname "$0")/.."
options=() pythons=()
for argument in "$@"; do
  if [ "$argument" = --one ]; then pythons=("$PWD/.venv/bin/python"); else options+=("$argument"); fi
done
if [ ${#pythons[@]} -eq 0 ]; then
  for version in 3.11 3.12 3.13 3.14; do
    for place in "$(command -v "python$version" || true)" "$HOME"/.pyenv/versions/"$version".*/bin/python \
                 "$HOME"/.local/share/uv/python/cpython-"$version".*/bin/python; do
      # A pyenv shim is on the path even where its version is not chosen: only what runs counts.
      if [ -x "$place" ] && "$place" -c 'import ensurepip' 2>/dev/null; then pythons+=("$place"); break; fi
    done || true
  done
fi
if [ ${#pythons[@]} -eq 0 ]; then echo "no Python 3.11 or newer was found" >&2; exit 1; fi
printf 'found: %s\n' "${pythons[@]}"
exec .venv/bin/python scripts/check_package.py ${options[@]+"${options[@]}"} "${pythons[@]}"
