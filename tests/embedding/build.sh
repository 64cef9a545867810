#!/usr/bin/env bash
# build.sh SOURCE VGG19 BUILD: builds a program with the library's source, by FetchContent, and compares its answer with
# that of VGG19. As for a processor that is not known: with portable kernels alone, and without other libraries.
set -euo pipefail
source=$1 vgg19=$2 build=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$build/project"
cat >"$build/project/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(app LANGUAGES C CXX)
include(FetchContent)
FetchContent_Declare(vgg19 SOURCE_DIR "$source")
FetchContent_MakeAvailable(vgg19)
add_executable(app "$source/tests/consumer/project/main.cc")
target_link_libraries(app PRIVATE vgg19::vgg19)
CMAKE
cmake -G Ninja -S "$build/project" -B "$build" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=unknown \
  -DVGG19_ONEDNN=OFF -DVGG19_JPEG=OFF -DVGG19_WEBP=OFF -DVGG19_ZLIB=OFF -DVGG19_ZSTD=OFF >"$work/log" || { cat "$work/log" >&2; exit 1; }
cmake --build "$build" >"$work/log" || { tail -30 "$work/log" >&2; exit 1; }

picture=$source/converter/variants/assets/landscape.jpg
"$vgg19" convert "$source/tests/golden/data/baseline.model.safetensors" -o "$work/model.safetensors" >/dev/null 2>&1
expected=$("$vgg19" classify -m "$work/model.safetensors" --size 32 --top 3 --json "$picture" | grep -o '"class": *[0-9]*' | grep -o '[0-9]*$' | paste -sd ' ')
found=$("$build/app" "$work/model.safetensors" "$picture" | cut -d' ' -f1 | paste -sd ' ')
[ "$found" = "$expected" ] || { echo "with the library's source: expected classes $expected, found $found" >&2; exit 1; }
echo "with the library's source: $found"
