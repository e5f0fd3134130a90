#!/usr/bin/env bash
#
# Everything a user of Lockstep needs: makes sure of Open MPI, the Swift toolchain and an up-to-date
# release build, then does what is asked.

set -euo pipefail

usage() {
  cat <<'END'
usage: ./run.sh                                       train the example on this machine's cores
       ./run.sh test                                  all tests, and what they need
       ./run.sh train CONFIG [-n RANKS] [--hostfile FILE] [--restarts K] [lockstep options]
       ./run.sh scale CONFIG [--ranks 1,2,4] [--mode strong|weak] [--repeats 3]
       ./run.sh bench allreduce [-n RANKS] [--sizes 4:64M:4] [--against default|all|none]
       ./run.sh bench kernels | bench step CONFIG     kernels beside the core's peak; a step by layer
       ./run.sh build                                 only the build
       ./run.sh COMMAND ...                           any other lockstep command (--help lists them)

DRY_RUN=1 in front prints the mpirun line of a training run or a benchmark instead of running it.
END
}

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
lockstep=$root/.build/release/lockstep
example=$root/Examples/fashion-mnist-mlp.yaml
swift_needed=6.2

# The exit codes of sysexits.h, as lockstep itself has them.
readonly unavailable=69 cannot_build=70

fail() {
  echo "error: $2" >&2
  exit "$1"
}

note() { echo "run.sh: $1" >&2; }

# quietly WHAT COMMAND...: the output of COMMAND is shown only if it fails.
quietly() {
  local what=$1 log
  shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    note "$what failed"
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# as_root COMMAND...: with sudo where that is needed and possible.
as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo "$@"
  fi
}

can_be_root() {
  ((EUID == 0)) && return
  command -v sudo >/dev/null || return
  # A password can be asked for only where somebody can answer.
  sudo -n true 2>/dev/null || [[ -t 0 && -t 2 ]]
}

# with_apt PACKAGE...: needs apt-get and root.
with_apt() {
  note "installing $*"
  quietly "apt-get update" as_root apt-get update ||
    note "the package lists could not be updated; trying with those that are there"
  quietly "apt-get install" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"
}

install_packages() {
  local line="apt-get install ${*}"
  command -v apt-get >/dev/null ||
    fail $unavailable "missing: install the equivalents of Debian's $* with this system's package manager"
  can_be_root || fail $unavailable "missing packages, and no root to install them: run '$line' as root"
  with_apt "$@" || fail $unavailable "the packages could not be installed: run '$line' as root"
}

need_packages() {
  local missing=()
  # Swift's package manager asks pkg-config where libraries are.
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  pkg-config --exists ompi-c 2>/dev/null || missing+=(libopenmpi-dev)
  command -v mpirun >/dev/null || missing+=(openmpi-bin)
  pkg-config --exists zlib 2>/dev/null || missing+=(zlib1g-dev)
  pkg-config --exists libcrypto 2>/dev/null || missing+=(libssl-dev)
  if [[ ${1-} == test ]]; then
    command -v ip >/dev/null || missing+=(iproute2)
    command -v hostname >/dev/null || missing+=(hostname)
    command -v nm >/dev/null || missing+=(binutils)
  fi
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

# What some tests are skipped without.
want_test_packages() {
  [[ $(uname -m) == x86_64 ]] || return 0
  command -v qemu-x86_64 >/dev/null && return
  if ! { command -v apt-get >/dev/null && can_be_root && with_apt qemu-user; }; then
    note "qemu-user cannot be had here: the tests that emulate older CPUs will be skipped"
  fi
}

# Looks in PATH and in the places where toolchains are usually put.
need_swift() {
  local folder version
  for folder in '' "$HOME/.local/share/swiftly/bin" /opt/swift/usr/bin /usr/share/swift/usr/bin; do
    [[ -z $folder || -x $folder/swift ]] || continue
    PATH=${folder:+$folder:}$PATH command -v swift >/dev/null || continue
    PATH=${folder:+$folder:}$PATH
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
    [[ $(printf '%s\n' "$swift_needed" "${version:-0}" | sort -V | head -n 1) == "$swift_needed" ]] &&
      return
  done
  fail $unavailable "Swift $swift_needed or newer is needed${version:+, found $version}: get it from https://www.swift.org/install"
}

is_built() {
  [[ -x $lockstep && -f $lockstep.commit ]] &&
    [[ -z $(find "$root/Sources" "$root/Package.swift" -newer "$lockstep" -print -quit) ]]
}

# With Swift's libraries inside: a cluster's nodes need the binary, and no toolchain.
build() {
  is_built && return
  note "building lockstep (two minutes or so the first time)"
  quietly "swift build" swift build --package-path "$root" -c release --product lockstep \
    --static-swift-stdlib ||
    fail $cannot_build "the build failed: see above"
  touch "$lockstep"
  (cd "$root" && git describe --always --dirty 2>/dev/null || echo unknown) >"$lockstep.commit"
}

# Fashion-MNIST from Debian's package, unpacked, so that the ranks of a node share one copy in memory.
# Needs no root; false where no package can be had.
fetch_fashion_mnist() {
  local target=$root/.data/fashion-mnist source=/usr/share/datasets/fashion-mnist work file
  local files=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
  for file in "${files[@]}"; do [[ -f $target/$file ]] || break; done
  [[ -f $target/$file ]] && return
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder is known now
  trap "rm -rf '$work'" RETURN
  if [[ ! -f $source/${files[0]}.gz ]]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
    note "fetching Fashion-MNIST (31 MB)"
    chmod 755 "$work"
    if ! (cd "$work" && apt-get download dataset-fashion-mnist) >/dev/null 2>&1; then
      can_be_root && as_root apt-get update >/dev/null 2>&1 || return
      (cd "$work" && apt-get download dataset-fashion-mnist) >/dev/null 2>&1 || return
    fi
    dpkg-deb -x "$work"/dataset-fashion-mnist_*.deb "$work" || return
    source=$work$source
  fi
  mkdir -p "$target"
  for file in "${files[@]}"; do
    gzip -dc "$source/$file.gz" >"$target/.$file" && mv "$target/.$file" "$target/$file" || return
  done
}

# The data that a configuration of ours names, wherever it stands among the words; one's own is one's
# own.
need_data() {
  local word
  for word in "$@"; do
    [[ -f $word ]] && grep -q '\.data/fashion-mnist/' "$word" || continue
    fetch_fashion_mnist || note "Fashion-MNIST cannot be had here"
    return
  done
}

main_job() {
  local options=()
  cd "$root"
  if ! fetch_fashion_mnist; then
    note "Fashion-MNIST cannot be had here: training on built-in synthetic data instead"
    options=(--set 'data={format: synthetic, features: [28, 28], classes: 10, train: {samples: 60000}, test: {samples: 10000}}')
  fi
  exec "$lockstep" launch train "$example" "${options[@]}"
}

# -n, --hostfile and --restarts are the launch's business, wherever they stand; the rest is lockstep's.
train() {
  local launch=() options=()
  while (($#)); do
    case $1 in
      -n | -np | --hostfile | --restarts)
        (($# > 1)) || fail 64 "$1: a value is missing"
        launch+=("${1/-np/-n}" "$2")
        shift
        ;;
      -n?* | --hostfile=* | --restarts=*) launch+=("$1") ;;
      *) options+=("$1") ;;
    esac
    shift
  done
  need_data "${options[@]}"
  exec "$lockstep" launch "${launch[@]}" train "${options[@]}"
}

run_tests() {
  cd "$root"
  want_test_packages
  fetch_fashion_mnist || note "Fashion-MNIST cannot be had here: the tests that need it will be skipped"
  note "checking the format"
  swift format lint --strict --recursive Package.swift Sources Tests
  note "building the tests"
  # Some of what they start has to be optimized.
  quietly "swift build" swift build --build-tests &&
    quietly "swift build" swift build -c release --product RankCases --static-swift-stdlib &&
    touch .build/release/RankCases ||
    fail $cannot_build "the tests do not build: see above"
  local log
  log=$(mktemp)
  if ! LOCKSTEP_TEST_ALL=1 swift test --skip-build 2>&1 | tee "$log"; then
    # Far above, among the lines of hundreds of tests.
    note "what failed, once more:"
    grep -A 8 -E '^✘|[Ff]atal error|^error: ' "$log" | grep -vE '^(◇|✔|--$)' | tail -n 200 >&2 || true
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

command=${1-}
case $command in
  -h | --help | help)
    usage
    exit
    ;;
esac
need_packages "$command"
need_swift
build
(($# == 0)) && main_job
shift
case $command in
  build) ;;
  test) run_tests ;;
  train) train "$@" ;;
  scale)
    need_data "$@"
    exec "$lockstep" scale "$@"
    ;;
  *) exec "$lockstep" "$command" "$@" ;;
esac
