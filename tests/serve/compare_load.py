"""Throughput and latency of two servers, in turns: compare_load.py VGG19-LOAD OLD-VGG19 NEW-VGG19 [SECONDS [ROUNDS]]

Narrow models; 1, 8 and 64 clients whose connections stay open. Prints the best round of each, in answers a
second, and its median and 99th percentile in milliseconds."""

import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault('VGG19_TOOL', sys.argv[2])  # makes the models
import served

CLIENTS = 1, 8, 64


def started(tool, models):
    served.TOOL = tool
    return served.Server(models, '--threads', '1', '--queue', '64', '--variants', 'res160')


def main():
    load, *tools = sys.argv[1:4]
    seconds = sys.argv[4] if len(sys.argv) > 4 else '1'
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    with served.models() as models, tempfile.TemporaryDirectory() as folder:
        picture = pathlib.Path(folder) / 'picture.ppm'
        picture.write_bytes(served.pixels(32, 32))
        kinds = [('/healthz',), ('/v1/models',), ('/v1/classify', str(picture), 'image/x-portable-pixmap')]
        servers = [started(tool, models) for tool in tools]
        print(f'{"request":14} clients  {"before: a second, median, p99":>32}  {"after":>32}')
        try:
            for kind in kinds:
                for clients in CLIENTS:
                    best = [(0, 0, 0), (0, 0, 0)]
                    for turn in range(2 * rounds):
                        which = turn % 2
                        ended = subprocess.run([load, str(servers[which].port), str(clients), seconds, *kind],
                                               capture_output=True, text=True, check=True)
                        best[which] = max(best[which], tuple(map(float, ended.stdout.split())))
                    texts = [f'{a:12.0f} {b:9.3f} {c:9.3f}' for a, b, c in best]
                    print(f'{kind[0]:14} {clients:7}  {texts[0]}  {texts[1]}', flush=True)
        finally:
            for server in servers:
                server.end()


if __name__ == '__main__':
    main()
