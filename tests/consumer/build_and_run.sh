#!/usr/bin/env bash
# build_and_run.sh SOURCE BUILD VGG19 CXX CC SANITIZERS ONEDNN_LIBRARY [PROGRAM…]
# ONEDNN_LIBRARY is empty in a build without oneDNN; the programs are built from project/ too, and run with the others.
set -euo pipefail
source=$1 build=$2 vgg19=$3 compiler=$4 c_compiler=$5 sanitizers=$6 onednn=$7
shift 7
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=${sanitizers:+-fsanitize=$sanitizers}
onednn_folder=$(dirname "${onednn:-/usr/lib}")  # empty in a build without oneDNN

files() { (cd "$work" && find "$@" \( -type f -o -type l \) -printf '%P\n' | sort); }
cmake --install "$build" --component development --prefix "$work/installed" >"$work/install.log"
cmake --install "$build" --component tools --prefix "$work/tools" >"$work/install.log"
cmake --install "$build" --prefix "$work/all" >"$work/install.log"
[ "$(files tools)" = $'bin/vgg19\nbin/vgg19-bench' ] || { echo "component tools: expected bin/vgg19 and bin/vgg19-bench, found" $(files tools) >&2; exit 1; }
[ "$(files all)" = "$(files installed tools)" ] || { echo "expected all components to be development and tools" >&2; diff <(files all) <(files installed tools) >&2; exit 1; }
rm -rf "$work/all"
"$vgg19" convert "$source/tests/golden/data/baseline.model.safetensors" -o "$work/model.safetensors"
image=$source/converter/variants/assets/landscape.jpg

cmake -S "$source/tests/consumer/project" -B "$work/cmake" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_PREFIX_PATH="$work/installed;${onednn_folder%/lib}" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_C_FLAGS="$flags" >"$work/configure.log"
cmake --build "$work/cmake" >"$work/build.log" || { cat "$work/build.log"; exit 1; }

# The examples as a project by themselves, as their README says.
cmake -S "$source/examples" -B "$work/examples" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_PREFIX_PATH="$work/installed;${onednn_folder%/lib}" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_C_FLAGS="$flags" >"$work/configure.log"
cmake --build "$work/examples" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
grep -q "^vgg19_DIR:PATH=$work/installed/" "$work/examples/CMakeCache.txt" || { echo "the examples did not find the installed library" >&2; exit 1; }
bash "$source/tests/examples/run.sh" "$source" "$vgg19" "$work/examples"

PKG_CONFIG_PATH=$(dirname "$(find "$work/installed" -name vgg19.pc)"):${PKG_CONFIG_PATH:-}
export PKG_CONFIG_PATH
library_folder=$(dirname "$(find "$work/installed" -name 'libvgg19.*' -print -quit)")
# The .pc file contains the configured prefix; --define-prefix replaces it by the actual one.
options="$(pkg-config --define-prefix --cflags --libs vgg19) -L$onednn_folder -Wl,-rpath,$onednn_folder -Wl,-rpath,$library_folder"
"$compiler" -std=c++20 $flags "$source/tests/consumer/project/main.cc" -o "$work/consumer-pkg-config" $options
"$c_compiler" $flags "$source/tests/consumer/project/main.c" -o "$work/consumer-pkg-config-c" $options

# A project without C++ can use a shared library; for a static one it is told what it needs.
configure_in_c() {
  cmake -S "$source/tests/consumer/project_in_c" -B "$work/in-c" -G Ninja -DCMAKE_C_COMPILER="$c_compiler" \
    -DCMAKE_PREFIX_PATH="$work/installed;${onednn_folder%/lib}" -DCMAKE_C_FLAGS="$flags" >"$work/configure.log" 2>&1
}
if [ -e "$library_folder/libvgg19.a" ]; then
  ! configure_in_c || { echo "expected a project in C alone to be refused" >&2; exit 1; }
  grep -q 'LANGUAGES C CXX' "$work/configure.log" || { cat "$work/configure.log" >&2; exit 1; }
else
  configure_in_c && cmake --build "$work/in-c" >"$work/build.log" || { cat "$work/configure.log" "$work/build.log" >&2; exit 1; }
  set -- "$@" "$work/in-c/consumer-in-c"
fi

# A shared library with a static vgg19 inside keeps it to itself.
if [ -e "$library_folder/libvgg19.a" ] && [ "$(uname)" = Linux ]; then
  exported=$(nm --dynamic --defined-only --demangle "$work/cmake/libplugin.so" | grep -E ' T (vgg19_|vgg19::)' || true)
  if [ -n "$exported" ]; then
    printf 'expected a plugin that exports nothing of vgg19, found\n%s\n' "$exported" >&2
    exit 1
  fi
fi

expected=$("$vgg19" classify -m "$work/model.safetensors" --size 32 --top 3 --json "$image" | grep -o '"class": *[0-9]*' | grep -o '[0-9]*$')
for program in "$work/cmake/consumer" "$work/cmake/consumer-c" "$work/consumer-pkg-config" "$work/consumer-pkg-config-c" "$@"; do
  found=$("$program" "$work/model.safetensors" "$image" | cut -d' ' -f1)
  if [ "$found" != "$expected" ]; then
    printf '%s: expected classes %s, found %s\n' "$(basename "$program")" "$(echo $expected)" "$(echo $found)" >&2
    exit 1
  fi
done
echo "$((4 + $#)) consumers agree with vgg19 classify: $(echo $expected)"
