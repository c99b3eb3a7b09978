# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# Installing what is missing, and nothing else. The package names are those of Debian 12 and Ubuntu 24.04.
packages_base=(
  g++ cmake ninja-build ccache git pkg-config ca-certificates python3-venv python3-dev
  libfmt-dev libspdlog-dev libcli11-dev libexpected-dev libxxhash-dev libzstd-dev
  libprotobuf-dev protobuf-compiler nlohmann-json3-dev
  libgtest-dev libgmock-dev librapidcheck-dev strace
  llvm-19-dev libclang-19-dev liblld-19-dev)
packages_sanitizers=(clang-19 libclang-rt-19-dev)
packages_bench=(libsqlite3-dev) # a peer of the cache
packages_windows=(g++-mingw-w64-x86-64-posix wine wine64 googletest)
packages_torch=() # Python packages only
packages_format=(clang-format-19)
packages_lint=(clang-tidy-19)

# setup GROUP...: packages of the groups; with base also the Python environment, with torch the one that has PyTorch.
setup() {
  local group wanted=() python_too=0 torch_too=0
  for group in "$@"; do
    local -n list="packages_$group"
    wanted+=("${list[@]}")
    if [[ $group == base ]]; then python_too=1; fi
    if [[ $group == torch ]]; then torch_too=1; fi
  done
  install_packages "${wanted[@]}"
  if ((python_too)); then python_environment .venv requirements.txt; fi
  if ((torch_too)); then
    mkdir -p .cache
    python_environment "$torch_environment" requirements-torch.txt
  fi
}

install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "./dev: no apt here: install the equivalents of: $*" >&2
    return
  fi
  local installed package missing=()
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qxF "$package installed" <<<"$installed" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return; fi
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "these packages are missing and there is no sudo: ${missing[*]}" 3
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  "${apt[@]}" update -q || echo "./dev: apt-get update had errors, trying to go on" >&2
  "${apt[@]}" install -q -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install: ${missing[*]} (on Ubuntu they need the 'universe' component)" 3
}

# python_environment FOLDER REQUIREMENTS: a virtual environment, made again only when what it depends on changed.
python_environment() {
  local folder=$1 requirements=$2 base=/usr/bin/python3 stamp
  # The distribution's Python, not one that a version manager put first in PATH.
  if [[ ! -x $base ]]; then base=$(command -v python3 || fail "python3 is missing" 3); fi
  stamp="$PWD $("$base" --version) $(cat requirements.txt "$requirements" | sha256sum)"
  if [[ -x $folder/bin/python && $(cat "$folder/.stamp" 2>/dev/null) == "$stamp" ]]; then return; fi
  say "making $folder from $requirements"
  rm -rf "$folder"
  "$base" -m venv "$folder" || fail "python3 cannot make a virtual environment in $folder" 3
  "$folder/bin/python" -m pip install -q --disable-pip-version-check --no-input -r "$requirements" ||
    fail "pip could not install $requirements into $folder; run the command again when the network is back" 3
  echo "$stamp" >"$folder/.stamp"
}
