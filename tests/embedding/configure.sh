#!/usr/bin/env bash
# configure.sh SOURCE WAY CXX CC CMAKE_ARGUMENT…: the project in parent/ checks itself while it is configured;
# its build and install steps are checked here. It is not built, which would take minutes; build.sh does
# that.
set -euo pipefail
source=$1 way=$2 cxx=$3 cc=$4
shift 4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf '%s: %s\n' "$way" "$*" >&2; exit 1; }

cmake -S "$source/tests/embedding/parent" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_COMPILER="$cc" \
  -DVGG19_SOURCE="$source" -DWAY="$way" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

# Files: the parent's program must be in the parent's folder, ours in our own.
folder=vgg19
[ "$way" = add_subdirectory ] || folder=_deps/vgg19-build
ninja -C "$work/build" -t targets all | grep -v ': phony$' | sed -n 's/^\([^:]*\.\(o\|a\|so\)\|program\): .*/\1/p' >"$work/outputs"
grep -qx program "$work/outputs" || fail "expected the program in the parent's build folder"
stray=$(grep -vE "^(program$|CMakeFiles/program\.dir/|$folder/)" "$work/outputs" || true)
[ -z "$stray" ] || fail "expected our files under $folder, found" $stray
grep -q "^$folder/.*libvgg19\.a$" "$work/outputs" || fail "expected libvgg19.a under $folder"

# Flags: from us, the parent gets only the headers' folder and C++20.
flags=$(ninja -C "$work/build" -t commands program | grep 'CMakeFiles/program.dir' | grep -v 'Linking' | head -1)
for flag in -O3 -fvisibility -W -fopenmp -ffp-contract -DNDEBUG -mavx; do
  [[ " $flags" != *" $flag"* ]] || fail "expected the parent's own flags, found $flag in: $flags"
done

# Only the parent's files are installed.
cmake --install "$work/build" --prefix "$work/installed" >"$work/install.log"
installed=$(cd "$work/installed" && find . -type f)
[ "$installed" = ./share/parent/notes.txt ] || fail "expected to install the parent's file alone, found" $installed
echo "$way leaves its parent as it was"
