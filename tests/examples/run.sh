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

# Features: shapes of named layers, in C.
found=$("$folder/vgg19-example-features-in-c" "$model" "$image" 48 70 conv1_1 relu3_1 pool5 fc7 | cut -d' ' -f1,2 | paste -sd ';')
check features-in-c "conv1_1 1x5x48x70;relu3_1 1x17x12x17;pool5 1x15x1x2;fc7 1x20" "$found"
code=0; message=$("$folder/vgg19-example-features-in-c" "$model" "$image" 48 70 relu9_9 2>&1) || code=$?
check "features-in-c, an unknown layer: exit code" 1 "$code"
[[ $message == *relu9_9*relu5_4* ]] || fail "features-in-c: expected a message that lists the layers, found: $message"

# A picture is most like itself, and a perceptual loss falls when its gradient is followed.
python3 - "$work/noise.ppm" <<'PYTHON'
import random, sys
random.seed(1)
with open(sys.argv[1], "wb") as file:
    file.write(b"P6 64 64 255\n" + bytes(random.randrange(256) for _ in range(3 * 64 * 64)))
PYTHON
found=$("$folder/vgg19-example-retrieval" "$model" "$image" "$work/noise.ppm" "$image")
check retrieval "1.0000  $image" "$(echo "$found" | head -1)"
check "retrieval: pictures" 2 "$(echo "$found" | wc -l)"
losses=$("$folder/vgg19-example-perceptual-loss" "$model" "$image" "$work/noise.ppm" 12 | sed 's/.*: //')
check "perceptual-loss: steps" 12 "$(echo "$losses" | wc -l)"
awk 'NR == 1 { first = $1 } { last = $1 } END { exit !(first > 0 && last < 0.9 * first) }' <<<"$losses" ||
  fail "perceptual-loss: expected a loss that falls by a tenth, found $(echo $losses)"
check "perceptual-loss of the same picture" "step 0: 0.000000" "$("$folder/vgg19-example-perceptual-loss" "$model" "$image" "$image" 1)"

# A server's pool: the same classes, bad files and time limits, and no thread of the library beside its own.
found=$("$folder/vgg19-example-server-pool" "$model" 3 100 "$image" "$work/none" "$image" "$image" 2>"$work/log" | sed -E 's/^([^ ]*: [0-9]*).*/\1/' | paste -sd ';')
check server-pool "$image: $first;$work/none: ;$image: $first;$image: $first" "$found"
grep -q '^vgg19: planned for ' "$work/log" || fail "server-pool: expected notes of the library, found: $(cat "$work/log")"
check "server-pool without time" "$image: took too long" "$("$folder/vgg19-example-server-pool" "$model" 2 0 "$image" 2>/dev/null)"

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

for program in retrieval perceptual-loss; do  # these need no classifier
  set -- "$image" "$work/noise.ppm"
  [ $program = retrieval ] || set -- "$@" 1
  "$folder/vgg19-example-$program" "$work/few-0.safetensors" "$@" >"$work/printed" || fail "$program: expected features alone to be enough"
  [ -s "$work/printed" ] || fail "$program: expected an answer of features alone"
done

# Files that are not there are named, with exit code 1; wrong usage is 2.
declare -A more=([classify]= [classify-in-c]= [layer-times]= [features-in-c]="48 48 pool5" [retrieval]=$image [perceptual-loss]="$image 1")
for program in "${!more[@]}"; do
  code=0; message=$("$folder/vgg19-example-$program" "$work/none" "$image" ${more[$program]} 2>&1) || code=$?
  check "$program without a model: exit code" 1 "$code"
  [[ $message == *"$work/none"* ]] || fail "$program: expected a message that names $work/none, found: $message"
  code=0; "$folder/vgg19-example-$program" "$model" 2>"$work/usage" || code=$?
  check "$program without an image: exit code" 2 "$code"
  grep -q '^usage: ' "$work/usage" || fail "$program: expected the usage, found: $(cat "$work/usage")"
done
echo "the examples agree with vgg19 classify"
