"""Standard input, output and error are closed or full: results are right, and no file or client gets the messages."""

import itertools
import os
import shutil
import signal
import subprocess

import served
from command_list import commands
from trials import Counts

TRIALS = Counts(full=1, short=1)
# In a shell's words. What is printed fails with the first three, so that success is no longer the right answer.
REDIRECTIONS = ['>&-', '>&- 2>&-', '<&- >&- 2>&-', '>/dev/full', '>/dev/full 2>/dev/full', '2>&-', '<&-', '<&- 2>&-', '2>/dev/full']
SHORT_COMMANDS = {'convert', 'classify', 'pipeline'}
PATIENCE = 60


def run(torture):
    numbers = itertools.count()
    for command in commands(torture):
        if torture.wants(command.name) and (not torture.short or command.name in SHORT_COMMANDS):
            try_command(torture, command, numbers)
    if torture.wants('serve'):
        try_server(torture)


def run_redirected(torture, words, redirection):
    return torture.run(['-c', f'exec "$0" "$@" {redirection}', torture.tool, *words], program='/bin/sh')


def try_command(torture, command, numbers):
    row = torture.row(command.name)
    right = None
    for redirection in ['', *REDIRECTIONS]:
        folder = torture.folder / f'trial-{next(numbers)}'
        folder.mkdir()
        outcome = run_redirected(torture, command.in_folder(folder), redirection)
        result = command.result(folder, outcome)
        if not redirection:
            right = result
            prints = bool(outcome.output)
        must_fail = prints and redirection.startswith(('>', '<&- >'))
        # Its steps print to standard error, and end with an error where they cannot.
        may_fail = command.name == 'pipeline' and '2>' in redirection
        wrong = ''
        if not outcome.ended_by_itself or (outcome.code == 0) == must_fail and not may_fail:
            wrong = str(outcome)
        # A file may be complete although its name could not be printed.
        elif command.writes and result != right and (outcome.code == 0 or result is not None):
            wrong = f'{outcome}, and another file'
        row.record(not wrong, f'{redirection}: {wrong}')
        shutil.rmtree(folder)


def try_server(torture):
    """What clients get must not be what is printed: their connections have other numbers."""
    row = torture.row('serve')
    for redirection in ['2>&-', '<&-', '<&- 2>&-', '2>/dev/full']:
        command = ['/bin/sh', '-c', f'exec "$0" "$@" {redirection}', str(torture.tool), 'serve', '--models',
                   str(torture.narrow_models()), '--port', '0']
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            port = int(process.stdout.readline().strip().rstrip('/').rsplit(':', 1)[1])
            client = served.Client(port)
            status = client.get('/healthz').status
            sockets = [number for number in range(3) if 'socket' in os.readlink(f'/proc/{process.pid}/fd/{number}')]
            process.send_signal(signal.SIGTERM)
            code = process.wait(PATIENCE)
        row.record(status == 200 and not sockets and code == 0,
                   f'{redirection}: /healthz {status}, sockets as {sockets}, exit code {code}')
