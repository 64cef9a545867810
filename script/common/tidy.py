#!/usr/bin/env python3
"""Runs clang-tidy on C++ sources, several at a time.

  tidy.py BUILD SOURCE…     BUILD has the compile_commands.json; prints findings, and ends with 1 if there are some

Most of clang-tidy's time goes into headers, which several sources of the same flags share. So these are joined to one
file, if nothing that they declare outside of functions has the same name. Where clang-tidy finds anything in it, or it
does not compile, its sources are looked at one by one, and what is found then counts.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

MOST_LINES = 2500  # of a joined file

# Comments, texts and characters, in which braces mean nothing.
IGNORED = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
NAMESPACE = re.compile(r'(^|\s)namespace(\s+[\w:]+)?\s*$')
TYPE = re.compile(r'\b(?:struct|class|enum|union)\s+(?:class\s+)?(?:alignas\([^)]*\)\s*)?(\w+)')
USING = re.compile(r'\b(?:using|namespace)\s+(?:[\w:]*::)?(\w+)\s*(?:=|$)')
FUNCTION = re.compile(r'([\w:~]+)\s*\(')
VARIABLE = re.compile(r'(\w+)\s*(?:\[[^\]]*\]\s*)*(?:=|$)')


def declared(text):
    """What a declaration gives a name; empty for members of classes, which have no other one."""
    for pattern in (USING, TYPE, FUNCTION, VARIABLE):
        found = pattern.search(text)
        if found:
            return '' if '::' in found.group(1) else found.group(1)
    return ''


def names(source):
    """The names that a source declares outside of classes and functions, and its macros."""
    text = IGNORED.sub('""', source)
    result = set(re.findall(r'^\s*#\s*define\s+(\w+)', text, re.MULTILINE))
    text = re.sub(r'^\s*#(?:[^\n\\]|\\.|\\\n)*', '', text, flags=re.MULTILINE)
    inside = 0  # braces that are no namespace's
    braces = []
    start = 0
    for at, character in enumerate(text):
        if character == '{':
            is_namespace = not inside and bool(NAMESPACE.search(text[start:at]))
            if not inside and not is_namespace:
                result.add(declared(text[start:at].strip()))
            braces.append(is_namespace)
            inside += not is_namespace
        elif character == '}' and braces:
            inside -= not braces.pop()
        elif character == ';' and not inside:
            result.add(declared(text[start:at].strip()))
        if character in '{};' and not inside:
            start = at + 1
    return result - {''}


def commands(build):
    """The arguments that compile each source that is compiled once, without its name and its object's."""
    result, several = {}, set()
    for entry in json.loads((build / 'compile_commands.json').read_text()):
        words = shlex.split(entry['command'])
        kept = [word for word, before in zip(words, [''] + words) if word not in ('-c', '-o') and before not in ('-c', '-o')]
        path = pathlib.Path(entry['directory'], entry['file']).resolve()
        if path in result:
            several.add(path)
        result[path] = (entry['directory'], tuple(kept))
    return {path: command for path, command in result.items() if path not in several}


def groups(sources, build):
    """Sources of the same flags and different names."""
    known = commands(build)
    by_flags = collections.defaultdict(list)
    for source in sources:
        by_flags[known.get(source.resolve(), source)].append(source)
    result = []
    for flags, members in by_flags.items():
        open_groups = []  # their sources, names, lines
        for source in members:
            text = source.read_text()
            own, lines = names(text), text.count('\n')
            for group in open_groups:
                if isinstance(flags, tuple) and not own & group[1] and group[2] + lines <= MOST_LINES:
                    group[0].append(source)
                    group[1].update(own)
                    group[2] += lines
                    break
            else:
                open_groups.append([[source], own, lines])
        result += [(flags, group[0], group[2]) for group in open_groups]
    return sorted(result, key=lambda group: -group[2])


def run(database, source):
    """clang-tidy's findings, and whether there are none."""
    done = subprocess.run(['clang-tidy', '--quiet', '-p', database, source], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if not re.match(r'\d+ warnings? .*generated', line)]
    return done.stdout + ''.join(line + '\n' for line in said if done.returncode), done.returncode == 0


def look_at(number, group, build, folder):
    flags, sources, _ = group
    if len(sources) > 1:
        joined = folder / str(number) / 'joined.cc'
        joined.parent.mkdir(parents=True, exist_ok=True)
        joined.write_text(''.join(source.read_text() for source in sources))
        directory, words = flags
        # A local name may be one that another source declares. In one source, the compiler finds that, too.
        entry = {'directory': directory, 'file': str(joined), 'arguments': [*words, '-Wno-shadow', '-c', str(joined)]}
        (joined.parent / 'compile_commands.json').write_text(json.dumps([entry]))
        if run(joined.parent, joined)[1]:
            return '', True, 0
    results = [run(build, source) for source in sources]
    return ''.join(text for text, _ in results), all(good for _, good in results), len(sources)


def main():
    build, sources = pathlib.Path(sys.argv[1]).resolve(), [pathlib.Path(name) for name in sys.argv[2:]]
    folder = build / 'tidy'
    folder.mkdir(exist_ok=True)
    (folder / '.clang-tidy').write_text(pathlib.Path('.clang-tidy').read_text())
    found = groups(sources, build)
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(lambda item: look_at(*item, build, folder), enumerate(found)))
    for text, _, _ in results:
        sys.stdout.write(text)
    singly = sum(count for _, _, count in results)
    print(f'clang-tidy: {len(sources)} sources in {len(found)} groups, {singly} of them by themselves', file=sys.stderr)
    return 0 if all(good for _, good, _ in results) else 1


if __name__ == '__main__':
    sys.exit(main())
