"""The pieces of Python in the documentation."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pieces(path, module):
    """The blocks of Python in a page that import this module of the package: "torch", "ray" or, for the others, ""."""
    text = (ROOT / path).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    imports = [re.search(r"^\s*(?:import|from) (?:vgg19\.)?(torch|ray)\b", block, re.MULTILINE) for block in blocks]
    return [block for block, found in zip(blocks, imports) if (found[1] if found else "") == module]


def cases(module, *paths):
    """(page, block) for pytest.mark.parametrize, and their names."""
    found = [(path, block) for path in paths for block in pieces(path, module)]
    return {"argvalues": [block for _, block in found], "ids": [f"{path} {i + 1}" for i, (path, _) in enumerate(found)]}
