#!/usr/bin/env bash
# Brings a bare Debian with any Node to where this project builds, runs and is tested: Debian packages, npm packages,
# the compiled tree and the lab's image. Does only what is missing, and says nothing when nothing is. With `--no-lab` it
# leaves the image to the caller.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

say() { printf 'setup: %s\n' "$*" >&2; }

# Runs a long step, and shows what it printed only when it failed.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" > "$log" 2>&1 < /dev/null; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    say "failed: $*"
    return 1
  fi
  rm -f "$log"
}

main() {
  install_debian_packages
  install_npm_packages
  build
  [[ ${1:-} != --no-lab ]] || return 0
  # Node is the one that npm has just installed. It has nothing to do when the cache has an image.
  node bin/run.js lab build > /dev/null
}

# --- Debian -----------------------------------------------------------------------------------------------------------

install_debian_packages() {
  local missing=()
  need() { command -v "$1" > /dev/null || [[ -x /usr/sbin/$1 ]] || missing+=("$2"); }
  need mmdebstrap mmdebstrap
  need mke2fs e2fsprogs
  need xz xz-utils
  need flock util-linux
  need qemu-system-x86_64 qemu-system-x86
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg || -e /usr/share/keyrings/debian-archive-keyring.pgp ]] ||
    missing+=(debian-archive-keyring)
  ((${#missing[@]})) || return 0

  if ((EUID)); then
    say "these packages are missing; as root: apt-get install ${missing[*]}"
    return 1
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  install_with_backports "${missing[@]}" || install_from_own_suite "${missing[@]}"
}

# QEMU before 8 can use only one of the host's CPUs for this guest (src/lab/qemu.ts), so a release that has a newer one
# in its backports gets that. apt is given an own configuration for it: the machine's sources stay as they are.
install_with_backports() (
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  [[ $codename == bookworm ]] || return 1
  mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' |
    awk -v release="$codename" '$2 == release { print $1; exit }')
  [[ -n $mirror ]] || return 1

  own=$(mktemp -d)
  trap 'rm -rf "$own"' EXIT
  mkdir -p "$own/lists/partial"
  chmod 755 "$own"
  signed_by='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
  printf 'deb %s %s %s main\n' "$signed_by" "$mirror" "$codename" "$signed_by" "$mirror" "$codename-backports" \
    > "$own/sources.list"
  cat > "$own/apt.conf" << END
Dir::State::Lists "$own/lists";
Dir::Etc::SourceList "$own/sources.list";
Dir::Etc::SourceParts "/dev/null";
APT::Update::Error-Mode "any";
END
  export APT_CONFIG="$own/apt.conf"
  quietly apt-get update &&
    quietly apt-get install --yes --no-install-recommends --target-release "$codename-backports" "$@"
)

install_from_own_suite() {
  # Lists that are there already are usually good enough, and are quicker.
  quietly apt-get install --yes --no-install-recommends "$@" 2> /dev/null && return
  quietly apt-get update
  quietly apt-get install --yes --no-install-recommends "$@"
}

# --- npm and the compiled tree ----------------------------------------------------------------------------------------

# npm writes this copy of the lockfile last, so it is older than the lockfile exactly when npm has something to do.
install_npm_packages() {
  [[ node_modules/.package-lock.json -nt package-lock.json ]] && return
  say 'installing npm packages'
  quietly npm ci --no-audit --no-fund
  touch node_modules/.package-lock.json
}

build() {
  local manifest=oclif.manifest.json
  # The build writes the manifest last, so it is as old as what was built.
  if [[ -e $manifest && -d dist ]]; then
    local newer
    newer=$(find src package.json tsconfig.json tsconfig.build.json tools/build.ts tools/build -newer "$manifest" -print -quit)
    [[ -z $newer ]] && return
  fi
  say 'compiling'
  quietly npm run --silent build
}

main "$@"
