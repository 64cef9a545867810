#!/usr/bin/env python3
"""with_classes.py IN OUT CLASSES: copies a state dict (safetensors, torchvision's names) with only the first CLASSES
outputs of the last layer; 0: without dense layers."""
import json
import sys

source, destination, classes = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(source, "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    data = file.read()
header.pop("__metadata__", None)
last = max((name.rsplit(".", 1)[0] for name in header if name.startswith("classifier.")), key=lambda name: int(name.split(".")[1]))
kept, content = {}, b""
for name, entry in header.items():
    if classes == 0 and name.startswith("classifier."):
        continue
    begin, end = entry["data_offsets"]
    values = data[begin:end]
    if name.rsplit(".", 1)[0] == last:
        values = values[: len(values) // entry["shape"][0] * classes]
        entry["shape"][0] = classes
    kept[name] = entry | {"data_offsets": [len(content), len(content) + len(values)]}
    content += values
text = json.dumps(kept).encode()
text += b" " * (-len(text) % 8)
with open(destination, "wb") as file:
    file.write(len(text).to_bytes(8, "little") + text + content)
