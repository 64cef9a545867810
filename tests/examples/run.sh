#!/usr/bin/env bash
# run.sh SOURCE VGG19 FOLDER: runs the examples in FOLDER, and compares what they print with `vgg19 classify`.
set -euo pipefail
source=$1 vgg19=$2 folder=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
image=$source/converter/variants/assets/landscape.jpg
model=$work/model.safetensors
fail() { printf '%s\n' "$*" >&2; exit 1; }
check() { [ "$2" = "$3" ] || fail "$1: expected $(echo $2), found $(echo $3)"; }

"$vgg19" convert "$source/tests/golden/data/baseline.model.safetensors" -o "$model" >/dev/null
expected=$("$vgg19" classify -m "$model" --top 5 --json "$image" | grep -o '"class": *[0-9]*' | grep -o '[0-9]*$')
first=$(echo "$expected" | head -1)
classes() { sed -n 's/^ *[0-9.]* %  *\([0-9]*\) .*/\1/p'; }

check classify "$expected" "$("$folder/vgg19-example-classify" "$model" "$image" | classes)"
check classify-in-c "$expected" "$("$folder/vgg19-example-classify-in-c" "$model" "$image" | classes)"
check threads "$image: $first;$work/none: ;$image: $first" \
  "$("$folder/vgg19-example-threads" "$model" 2 "$image" "$work/none" "$image" | sed -E 's/^([^ ]*: [0-9]*).*/\1/' | paste -sd ';')"
check layer-times "class $first" "$("$folder/vgg19-example-layer-times" "$model" "$image" | sed -n 's/^\(class [0-9]*\),.*/\1/p')"
steps=$("$folder/vgg19-example-layer-times" "$model" "$image" | grep -c ' GMAC/s ')
[ "$steps" -ge 19 ] || fail "layer-times: expected at least 19 steps, found $steps"

# A model may have fewer than five classes, or none.
for classes in 2 0; do
  python3 "$source/tests/examples/with_classes.py" "$source/tests/golden/data/baseline.model.safetensors" "$work/weights" $classes
  "$vgg19" convert "$work/weights" -o "$work/few-$classes.safetensors" >/dev/null
done
expected=$("$vgg19" classify -m "$work/few-2.safetensors" --json "$image" | grep -o '"class": *[0-9]*' | grep -o '[0-9]*$')
check "two classes" "$(echo $expected | wc -w)" 2
for program in classify classify-in-c; do
  check "$program, two classes" "$expected" "$("$folder/vgg19-example-$program" "$work/few-2.safetensors" "$image" | classes)"
done
for program in classify classify-in-c layer-times; do
  code=0; message=$("$folder/vgg19-example-$program" "$work/few-0.safetensors" "$image" 2>&1) || code=$?
  check "$program without a classifier: exit code" 1 "$code"
  [[ $message == *'only `features`'* ]] || fail "$program: expected a message that names the features, found: $message"
done

# Files that are not there are named, with exit code 1; wrong usage is 2.
for program in classify classify-in-c layer-times; do
  code=0; message=$("$folder/vgg19-example-$program" "$work/none" "$image" 2>&1) || code=$?
  check "$program without a model: exit code" 1 "$code"
  [[ $message == *"$work/none"* ]] || fail "$program: expected a message that names $work/none, found: $message"
  code=0; "$folder/vgg19-example-$program" "$model" 2>"$work/usage" || code=$?
  check "$program without an image: exit code" 2 "$code"
  grep -q '^usage: ' "$work/usage" || fail "$program: expected the usage, found: $(cat "$work/usage")"
done
echo "four examples agree with vgg19 classify"
