"""Fails where the hosted workflow and .ci/run do not do the same steps.

    check.py SOURCE
"""
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
workflow = (source / '.github/workflows/ci.yml').read_text()
script = (source / 'script/test').read_text()
ci = (source / '.ci/run').read_text()


def found(pattern, text, where):
    match = re.search(pattern, text, re.M)
    if not match:
        sys.exit(f'{where}: expected a line that matches {pattern}')
    return match[1]


hosted = re.split(r',\s*', found(r'^ +step: \[(.+)\]$', workflow, 'ci.yml'))
usual = found(r'^\[ \$# -gt 0 \] \|\| set -- (.+)$', script, 'script/test').split()
problems = []
if hosted != usual:
    problems.append(f'ci.yml: expected the steps {usual} of script/test, found {hosted}')
if not re.search(r'run: script/test \$\{\{ matrix\.step \}\}$', workflow, re.M):
    problems.append('ci.yml: expected a step that runs script/test for each')
if not re.search(r'^exec .*script/test"$', ci, re.M):
    problems.append(f'.ci/run: expected script/test without arguments, found {ci!r}')
functions = set(re.findall(r'^step_(\w+)\(\)', script, re.M))
problems += [f'script/test: no step {name}' for name in usual if name not in functions]
listed = re.search(r'only these: ([a-z0-9 ]+) \(', script)
if not listed or set(listed[1].split()) | {'seeds'} != functions:
    problems.append(f'script/test: expected its first lines to list {sorted(functions)}')
print('\n'.join(problems) or f'{len(usual)} steps in both')
sys.exit(1 if problems else 0)
