"""Fails if the shared library exports more than its public interface, or lacks a part of it.

    check.py NM READELF LIBRARY ENGINE_ARCHIVE FOLDER_OF_PUBLIC_HEADERS SONAME
"""
import pathlib
import re
import subprocess
import sys

nm, readelf, library, archive, headers, soname = sys.argv[1:]
KINDS = 'TWVDBRu'  # nm's types: code, weak code and data, data


def symbols(*arguments):
    lines = subprocess.run([nm, '--demangle', '--defined-only', *arguments], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    fields = [line.split(None, 2) for line in lines]
    return {words[2] for words in fields if len(words) == 3 and words[1] in KINDS}


def unsanitized(names):
    return {name for name in names if not re.search(r'__(asan|odr_asan|tsan|ubsan|sanitizer)', name)}


def without_comments(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*', '', text, flags=re.S)


texts = {path.name: without_comments(path.read_text()) for path in pathlib.Path(headers).iterdir()}
c_functions = set(re.findall(r'\b(vgg19_\w+)\(', texts['vgg19.h']))
cpp = '\n'.join(text for name, text in texts.items() if name != 'vgg19.h')
classes = set(re.findall(r'^(?:class|struct) (\w+)', cpp, re.M))
functions = set(re.findall(r'^[\w:<>&*]+(?: [\w:<>&*]+)* (\w+)\(', cpp, re.M))


def is_public(name):
    """Whether a symbol in C++ is a public class's, or a public function: vgg19::NAME of those in the headers."""
    entity = re.sub(r'^(?:typeinfo name|typeinfo|vtable) for ', '', name)
    found = re.match(r'vgg19::(\w+)(::|\(|\[|$)', entity)
    if not found:
        return False
    if found[1] in classes:
        return '::State' not in entity  # what a session holds is its own
    return found[2] != '::' and found[1] in functions


exported = unsanitized(symbols('--dynamic', library))
defined = unsanitized(symbols(archive))
problems = [f'exported, but not public: {name}' for name in sorted(exported)
            if name not in c_functions and not is_public(name)]
problems += [f'declared in vgg19.h, but not exported: {name}' for name in sorted(c_functions - exported)]
problems += [f'public, but not exported: {name}' for name in sorted(defined)
             if is_public(name) and name not in exported]
dynamic = subprocess.run([readelf, '--dynamic', '--wide', library], check=True, capture_output=True, text=True).stdout
if f'[{soname}]' not in dynamic:
    problems.append(f'expected the soname {soname}, found ' + (re.search(r'SONAME.*', dynamic) or ['none'])[0])
if not classes or not functions or not c_functions:
    problems.append(f'no classes, functions or functions in C found in {headers}')
print('\n'.join(problems) or f'{len(exported)} symbols, all of them public; soname {soname}')
sys.exit(1 if problems else 0)
