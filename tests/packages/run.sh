#!/usr/bin/env bash
# run.sh SOURCE VGG19 FOLDER: checks the packages in FOLDER, installs them on a bare Debian 12 and uses them there. VGG19
# is a program of the same build, whose answers are expected.
set -euo pipefail
source=$1 vgg19=$2 folder=$3
here=$(cd "$(dirname "$0")" && pwd)
trial=$(mktemp -d)
trap 'rm -rf "$trial"' EXIT
packages=("$folder"/{libvgg19,vgg19-}*.deb)
[ ${#packages[@]} = 3 ] || { echo "expected 3 packages in $folder, found ${packages[*]}" >&2; exit 1; }

# What is not fit: the first entry of Debian's changelog closes a bug there, and CPack calls ldconfig besides the trigger.
lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs,maintscript-calls-ldconfig \
  $([ "$(id -u)" != 0 ] || echo --allow-root) "${packages[@]}"

# What the bare Debian gets.
picture=$source/converter/variants/assets/landscape.jpg
mkdir "$trial/debian" "$trial/files"
cp -r "${packages[@]}" "$source"/tests/consumer/project* "$picture" "$here/inside.sh" "$trial/files"
"$vgg19" convert "$source/tests/golden/data/baseline.model.safetensors" -o "$trial/files/model.safetensors" >/dev/null
classes() { "$vgg19" classify -m "$trial/files/model.safetensors" "$@" --json "$picture" | grep -o '"class": *[0-9]*' | grep -o '[0-9]*$' | paste -sd ' '; }

skip() { echo "the packages are not tried on a bare Debian: $1"; exit 0; }
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
"${as_root[@]}" true 2>"$trial/log" || skip "that needs root"
in_namespace=("${as_root[@]}" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root ${http_proxy:+http_proxy="$http_proxy"}
  unshare --mount --pid --fork --kill-child)
"${in_namespace[@]}" mount -t tmpfs tmpfs "$trial/debian" 2>"$trial/log" || skip "that needs a mount namespace ($(cat "$trial/log"))"
"${in_namespace[@]}" bash "$here/on_bare_debian.sh" "$trial" "$("$vgg19" --version)" "$(classes --size 32 --top 3)" "$(classes --top 5)"
