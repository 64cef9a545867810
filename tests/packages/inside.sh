#!/usr/bin/env bash
# inside.sh VERSION TOP3 TOP5: on a bare Debian 12, in a folder with the packages, a model and a picture. TOP3 are the
# classes at 32x32 pixels, TOP5 those at the model's size.
set -euo pipefail
version=$1 top3=$2 top5=$3
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
install() { apt-get install -qq --no-install-recommends "$@" >log 2>&1 || { cat log >&2; exit 1; }; }
check() { [ "$2" = "$3" ] || { printf '%s: expected %s, found %s\n' "$1" "$2" "$3" >&2; exit 1; }; }
numbers() { grep -o "$1" | grep -o '[0-9]*$' | paste -sd ' '; }
apt-get update -qq

# The tools, with what they depend on and nothing else.
install ./vgg19-tools_*.deb
check "vgg19 --version" "$version" "$(vgg19 --version)"
check "vgg19 classify" "$top3" "$(vgg19 classify -m model.safetensors --size 32 --top 3 --json landscape.jpg | numbers '"class": *[0-9]*')"
vgg19-bench --help >log
for subcommand in $(vgg19 --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
  vgg19 "$subcommand" --help >log
  [ -e "/usr/share/man/man1/vgg19-$subcommand.1.gz" ] || { echo "expected a manual page for vgg19 $subcommand" >&2; exit 1; }
done

# The library's development files bring the library; compilers are the user's.
install ./libvgg19-*.deb g++ cmake ninja-build pkg-config
c++ -std=c++20 project/main.cc -o consumer $(pkg-config --cflags --libs vgg19)
cc project/main.c -o consumer-c $(pkg-config --cflags --libs vgg19)
for project in project project_in_c /usr/share/doc/libvgg19-dev/examples; do
  cmake -G Ninja -S "$project" -B "build-$(basename "$project")" >log
  cmake --build "build-$(basename "$project")" >log || { cat log >&2; exit 1; }
done
for program in ./consumer ./consumer-c build-project/consumer build-project/consumer-c build-project_in_c/consumer-in-c; do
  check "$program" "$top3" "$("$program" model.safetensors landscape.jpg | cut -d' ' -f1 | paste -sd ' ')"
  [[ $(ldd "$program") == *"libvgg19.so.0.1 => /"* ]] || { echo "$program: expected to use the installed library" >&2; exit 1; }
done
check "the example classify" "$top5" "$(build-examples/vgg19-example-classify model.safetensors landscape.jpg | sed -n 's/^ *[0-9.]* %  *\([0-9]*\) .*/\1/p' | paste -sd ' ')"

# They leave nothing behind.
apt-get purge -qq vgg19-tools libvgg19-dev libvgg19-0.1 >log 2>&1 || { cat log >&2; exit 1; }
left=$(find /usr /etc /var/lib/dpkg/info -name '*vgg19*')
check "after removal" "" "$left"
echo "tools, C and C++ on a bare Debian: $top3"
