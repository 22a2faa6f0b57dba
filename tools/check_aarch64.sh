#!/usr/bin/env bash
# The kernel tests for AArch64: cross-compiled and run under qemu-user with a CPU that has the dot product.
# Needs aarch64-linux-gnu-g++ (10 or later) and qemu-aarch64; says so and passes where they are not installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compiler=$(command -v aarch64-linux-gnu-g++ || command -v aarch64-linux-gnu-g++-12 || true)
if [ -z "$compiler" ] || ! command -v qemu-aarch64 >/dev/null; then
  echo "AArch64 kernels: not run, there is no cross compiler or no qemu-aarch64 here"
  exit 0
fi
doctest=${1:-build/deps/pgm_build_deps/doctest}
out=build/aarch64
mkdir -p "$out"
flags="-std=c++20 -O2 -ffp-contract=off -fno-math-errno -fno-trapping-math -I. -Iinclude -Itests/cpp -I$doctest/include"
objects=()
for source in src/cpu/*.cpp tests/cpp/cpu/test_*.cpp tests/cpp/main.cpp; do
  object=$out/$(basename "$source" .cpp).o
  case "$source" in *_neon_dot.cpp) special=-march=armv8.2-a+dotprod ;; *) special= ;; esac
  # shellcheck disable=SC2086
  "$compiler" $flags $special -c "$source" -o "$object"
  objects+=("$object")
done
"$compiler" -static "${objects[@]}" -o "$out/test_cpu"
qemu-aarch64 -cpu max "$out/test_cpu"
