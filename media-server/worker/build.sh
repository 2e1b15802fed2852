#!/usr/bin/env bash
# Builds mediasoup-worker from an installed `mediasoup` npm package, from nothing but
# Debian's packages and two Rust crates. README.md says why each part is as it is.
#
# Use: build.sh [--stock] MEDIASOUP_PACKAGE_DIR OUTPUT_FILE
#   --stock   leave verbatim-consumer.patch out (a peer for measurements)
#
# stdout: one line a stage, `[n/5] what`. stderr: why it cannot go on.
# Exit: 0 built or already there, 2 wrong use, 3 something is missing, 1 a stage failed.
set -euo pipefail

stock=
[[ ${1-} == --stock ]] && { stock=yes; shift; }
[[ $# == 2 ]] || { echo "use: build.sh [--stock] MEDIASOUP_PACKAGE_DIR OUTPUT_FILE" >&2; exit 2; }
package=$(realpath -e "$1"); output=$(realpath -m "$2")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

missing() { printf '%s\n' "cannot build the mediasoup worker:" "$@" >&2; exit 3; }

[[ $(uname -s) == Linux ]] || missing "this machine runs $(uname -s), the build needs Linux (Debian 12 or later)." \
  "Point MILLRACE_WORKER_BIN at a worker built elsewhere."

# The kernel drops this lock with the last process of the build, so a build that was
# killed leaves nothing behind that a later one must clean up.
mkdir -p "$(dirname "$output")"
exec 9>"$output.lock"
if ! flock --nonblock 9; then
  echo "[0/5] waiting for another build of the same worker"
  flock 9
fi
[[ -x $output ]] && exit 0

work=$(mktemp -d "${TMPDIR:-/tmp}/mediasoup-worker.XXXXXX")
trap 'rm -rf "$work" "$output.$$"' EXIT
trap 'exit 1' INT TERM HUP
# Whoever started this may be gone when bash reports a killed compiler, and bash with it,
# without cleaning up.
trap : PIPE
log="$work/log"; deps="$work/deps"

# A C++ compiler takes up to 1 GiB here, so memory bounds the parallelism too.
jobs=$(nproc)
memory_gib=$(awk '/MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
(( memory_gib < jobs )) && jobs=$(( memory_gib > 1 ? memory_gib : 1 ))

failed() {
  tail -n 30 "$log" >&2
  echo "building the mediasoup worker failed at: $1 (above: the end of its output)" >&2
  exit 1
}

# ---------------------------------------------------------------------------------------
echo "[1/5] build tools"
declare -A provides=(
  [g++]="command -v g++" [make]="command -v make" [perl]="perl -MFindBin -MIPC::Cmd -e 1" [patch]="command -v patch"
  [pkg-config]="command -v pkg-config" [meson]="command -v meson" [ninja-build]="command -v ninja"
  [flatbuffers-compiler]="command -v flatc" [libflatbuffers-dev]="pkg-config --exists flatbuffers"
  [ca-certificates]="test -e /etc/ssl/certs/ca-certificates.crt"
  [libuv1-dev]="pkg-config --exists libuv-static" [libabsl-dev]="pkg-config --exists absl_flat_hash_map"
)
cargo_works() {
  local version; version=$(cargo --version 2>/dev/null) || return 1
  # Before 1.70 cargo clones the whole crates index by git.
  [[ $version =~ ^cargo\ ([0-9]+)\.([0-9]+) ]] && (( BASH_REMATCH[1] > 1 || BASH_REMATCH[2] >= 70 ))
}
packages=()
for name in "${!provides[@]}"; do ${provides[$name]} >/dev/null 2>&1 || packages+=("$name"); done
# Debian 12's `cargo` is too old, and its `cargo-web` is a current one.
cargo_works || packages+=("cargo")
if (( ${#packages[@]} )); then
  command -v apt-get >/dev/null || missing "missing: ${packages[*]}" \
    "(names of Debian packages; this is not a Debian machine, so they cannot be installed by themselves)." \
    "Install them, or point MILLRACE_WORKER_BIN at a worker built elsewhere."
  if [[ " ${packages[*]} " == *" cargo "* && $(. /etc/os-release; echo "${VERSION_ID-}") == 12 ]]; then
    packages=("${packages[@]/#cargo/cargo-web}")
  fi
  [[ $(id -u) == 0 ]] || missing "missing Debian packages. Install them once with:" \
    "  sudo apt-get install -y --no-install-recommends ${packages[*]}"
  echo "[1/5] build tools: installing ${packages[*]}"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } \
    >"$log" 2>&1 9>&- || failed "apt-get install ${packages[*]}"
  # A rustup without a toolchain stands before it in PATH, and refuses everything.
  cargo_works || PATH=/usr/bin:$PATH
  cargo_works || missing "cargo 1.70 or later (found: $(cargo --version 2>&1 || true)). Install Rust's cargo and try again."
fi

# ---------------------------------------------------------------------------------------
echo "[2/5] sources"
mkdir -p "$work/crates/src"; touch "$work/crates/src/lib.rs"
cat >"$work/crates/Cargo.toml" <<'TOML'
[package]
name = "worker-sources"
version = "0.0.0"
edition = "2021"
[dependencies]
openssl-src = "=300.5.4"
srtp2-sys = "=3.0.2"
TOML
(cd "$work/crates" && cargo metadata --format-version 1) >"$work/crates.json" 2>"$log" ||
  failed "fetching crates (is their registry reachable?)"
# cargo checks what it downloads against the checksum that it writes to the lock file.
crate_folder() {
  grep -q "^checksum = \"$2\"" "$work/crates/Cargo.lock" ||
    missing "the crate $1 is not the one that this build was written for (its checksum differs)."
  dirname "$(grep -o '"manifest_path":"[^"]*"' "$work/crates.json" | cut -d '"' -f 4 | grep "/$1-[^/]*/Cargo.toml$")"
}
openssl=$(crate_folder openssl-src a507b3792995dae9b0df8a1c1e3771e8418b7c2d9f0baeba32e6fe8b06c7cb72)
libsrtp=$(crate_folder srtp2-sys 8ccbdbf0ff2cd13eb5b389cb2f17da0b212b59651282a96084ce657da4d27a81)

# ---------------------------------------------------------------------------------------
echo "[3/5] openssl and libsrtp, about 1 min"
build_openssl() {
  cp -r "$openssl/openssl" "$work/openssl" && cd "$work/openssl" && chmod +x Configure &&
    ./Configure no-shared no-module no-legacy no-comp no-zlib no-tests no-apps no-docs --prefix="$deps" --libdir=lib &&
    make -s -j"$jobs" build_libs && make -s install_dev
}
(build_openssl) >"$log" 2>&1 || failed openssl
export PKG_CONFIG_PATH="$deps/lib/pkgconfig"
build_libsrtp() {
  cp -r "$libsrtp/libsrtp" "$work/libsrtp" && cd "$work/libsrtp" && chmod +x configure &&
    CFLAGS="-O3 -fPIC -Wno-deprecated-declarations" ./configure --enable-openssl --with-openssl-dir="$deps" --prefix="$deps" &&
    make -s libsrtp2.a && make -s install
}
(build_libsrtp) >"$log" 2>&1 || failed libsrtp

# ---------------------------------------------------------------------------------------
echo "[4/5] mediasoup worker, about 10 min of one core ($jobs in use)"
cp -r "$package/worker" "$work/worker"
rm -rf "$work/worker/subprojects"; cp -r "$here/subprojects" "$work/worker/subprojects"
cd "$work/worker"
if [[ -z $stock ]]; then
  patch --silent --fuzz=0 -p2 <"$here/verbatim-consumer.patch" >"$log" 2>&1 || failed "applying verbatim-consumer.patch"
  cp -r "$here/include/." include/
  version=$(sed -n 's/^\s*"version": "\([^"]*\)".*/\1/p' "$package/package.json" | head -n 1)
  export CPPFLAGS="${CPPFLAGS-} -DMILLRACE_MEDIASOUP_VERSION='\"$version\"'"
fi
# Debian 12 has meson 1.0.1, which suffices.
sed -i -E "s/(meson_version *: *'>= *)[0-9.]+/\11.0.0/" meson.build
meson setup out --buildtype release --wrap-mode=nodownload -Db_ndebug=true >"$log" 2>&1 || failed "meson setup"
NINJA_STATUS='[%p] ' ninja -C out -j "$jobs" mediasoup-worker 2>&1 | tee "$log" |
  awk -v step=10 'match($0, /^\[ *[0-9]+%\]/) { p = substr($0, 2, 3) + 0; if (p >= step) { print "[4/5] mediasoup worker " p " %"; fflush(); step = p - p % 10 + 10 } }' ||
  failed "the mediasoup worker"

# ---------------------------------------------------------------------------------------
echo "[5/5] trying it"
# A stock worker says 41 to whoever is not mediasoup's own library; a broken one says 126, 127 or a signal.
status=0; out/mediasoup-worker --identify >"$log" 2>&1 || status=$?
(( status == ${stock:+41} + 0 )) || failed "starting the new worker (exit status $status)"
install -m 755 out/mediasoup-worker "$output.$$"
mv -f "$output.$$" "$output"
