# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# Shared by the parts of ./dev. Everything runs in the root of the tree.
python=$PWD/.venv/bin/python
torch_environment=$PWD/.cache/venv-torch
started=$SECONDS
results=()
not_passed=0

say() { if [[ -t 2 ]]; then printf '\033[1m==> %s\033[0m\n' "$*" >&2; else echo "==> $*" >&2; fi; }

fail() {
  echo "./dev: $1" >&2
  exit "${2:-1}"
}

# record NAME passed|FAILED|SKIPPED DETAIL: one line of the closing summary.
record() {
  results+=("$(printf '%-22s %-8s %s' "$1" "$2" "${3:-}")")
  if [[ $2 != passed ]]; then not_passed=1; fi
}

summary() {
  echo
  if ((${#results[@]})); then printf '%s\n' "${results[@]}"; fi
  if ((not_passed)); then
    echo "$1: NOT PASSED, $((SECONDS - started)) s"
    return 1
  fi
  echo "$1: passed, $((SECONDS - started)) s"
}

# How many compilers to run: one a core, but each may need 1.3 GB with LLVM's headers.
jobs() {
  if [[ -n ${JITNEY_JOBS:-} ]]; then
    echo "$JITNEY_JOBS"
    return
  fi
  local cores memory limit used
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
  # A container may have less than the machine.
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit != max ]]; then
    used=$(cat /sys/fs/cgroup/memory.current 2>/dev/null || echo 0)
    limit=$(((limit - used) / 1048576))
    if ((limit < memory)); then memory=$limit; fi
  fi
  local fit=$((memory / 1300))
  if ((fit < 1)); then fit=1; fi
  echo $((fit < cores ? fit : cores))
}
