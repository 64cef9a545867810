"""Kinds of requests: each sends some to a server, and returns the answers' statuses and those that are expected.

A status of 0 means that there was no answer.
"""

import http.client
import json
import socket
import struct
import zlib

import served

WIDTH, HEIGHT = 320, 240
IMAGE = served.pixels(WIDTH, HEIGHT)
JPEG = served.flat_jpeg(256, 256)
FORM = served.form(IMAGE)
SIDE = 160
VALUES = 3 * SIDE * SIDE
TENSOR = bytes(4 * VALUES)


def png(width, height, rows, depth=8):
    """A grey PNG; `rows` is what its data unpacks to."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, 0, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(rows, 9)) + chunk(b'IEND', b''))


PNG = png(WIDTH, HEIGHT, (b'\0' + bytes(range(256)) + bytes(WIDTH - 256)) * HEIGHT)
# 12 megapixels in 12 kB.
LARGE_PNG = png(4000, 3000, bytes(3000 * 4001))


def tensor_head(**members):
    return json.dumps({'inputs': [{'name': 'input', 'datatype': 'FP32', 'shape': [1, 3, SIDE, SIDE], **members}]}).encode()


TENSOR_HEAD = tensor_head(parameters={'binary_data_size': len(TENSOR)})
TENSOR_JSON = tensor_head(data=[0.25] * VALUES)


def leave(connection):
    """Closes with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def head_of_post(server, path, *fields):
    return '\r\n'.join([f'POST {path} HTTP/1.1', f'Host: {server.host}', 'Content-Type: image/png', *fields, '', '']).encode()


# Well-behaved clients.

def classify(server):
    return [server.post('/v1/classify?variants=int8', IMAGE).status], {200}


def classify_jpeg(server):
    return [server.post('/v1/classify?variants=int8', JPEG).status], {200}


def classify_png(server):
    return [server.post('/v1/classify?variants=pruned&top=1000', PNG).status], {200}


def classify_form(server):
    return [server.post('/v1/classify?variants=pruned,res160&profile=1', *FORM).status], {200}


def classify_chunked(server):
    pieces = (IMAGE[i:i + 50_000] for i in range(0, len(IMAGE), 50_000))
    return [server.post('/v1/classify?variants=res160', pieces, headers={'Transfer-Encoding': 'chunked'}).status], {200}


def job(server):
    created = server.post('/v1/jobs?variants=int8,res160', IMAGE)
    told = server.get(created.json['events'])
    assert served.events(told.text)[-1][2]['state'] == 'done', told.text
    return [created.status, told.status], {200, 202}


def rounds(server):
    created = server.post('/v1/jobs?mode=rounds&rounds=3&variants=int8,res160&top=100', PNG)
    told = server.get(created.json['events'])
    assert served.events(told.text)[-1][2]['state'] == 'done', told.text
    return [created.status, told.status], {200, 202}


def infer(server):
    answer = server.post('/v2/models/res160/infer', TENSOR_HEAD + TENSOR, 'application/octet-stream',
                         {'Inference-Header-Content-Length': str(len(TENSOR_HEAD))})
    return [answer.status], {200}


def infer_json(server):
    return [server.post('/v2/models/res160/infer', TENSOR_JSON, 'application/json').status], {200}


def look(server):
    return [server.get(path).status for path in ('/', '/v1/models', '/healthz', '/metrics')], {200}


def keep_alive(server):
    """Several requests on one connection."""
    connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=served.PATIENCE)
    statuses = []
    try:
        for path in ('/healthz', '/v2/models/int8', '/app.js', '/v2/health/ready', '/v1/sample'):
            connection.request('GET', path)
            statuses.append(served.Answer(connection.getresponse()).status)
    finally:
        connection.close()
    return statuses, {200}


# Clients with a right to an error.

def broken_image(server):
    return [server.post('/v1/classify', IMAGE[:-7]).status], {400}


def unknown(server):
    return [server.get('/nothing').status, server.post('/v1/classify?variants=none', IMAGE).status], {400, 404}


# Hostile ones.

def too_long(server):
    return [server.post('/v1/classify', bytes(1_100_000)).status], {413}


def foreign(server):
    return [server.post('/v1/classify', IMAGE, headers={'Origin': 'http://evil.example'}).status], {403}


def no_http(server):
    return [server.raw(b'\x16\x03\x01 hello\r\n\r\n')[0], server.raw(b'GET / HTTP/1.1\r\n' + b'X: y\r\n' * 3000)[0]], \
        {400, 431}


def bad_chunk(server):
    return [server.raw(head_of_post(server, '/v1/classify', 'Transfer-Encoding: chunked') + b'0x5\r\nhello\r\n0\r\n\r\n')[0]], \
        {400}


def goes_away(server):
    """Disconnects while sending its image, or while waiting for the answer."""
    for length in len(IMAGE) // 2, len(IMAGE):
        with server.connect() as connection:
            connection.sendall(head_of_post(server, '/v1/classify', f'Content-Length: {len(IMAGE)}') + IMAGE[:length])
            leave(connection)
    return [], set()


def leaves_job(server):
    """Follows a job, and disconnects before its end."""
    created = server.post('/v1/jobs?mode=rounds&rounds=50', IMAGE)
    with server.connect() as connection:
        connection.sendall(f'GET {created.json["events"]} HTTP/1.1\r\nHost: {server.host}\r\n\r\n'.encode())
        connection.recv(100)
        leave(connection)
    return [created.status], {202}


def large_picture(server):
    return [server.post('/v1/classify?variants=int8', LARGE_PNG).status], {200, 400, 413}


def deep_json(server):
    return [server.post('/v2/models/int8/infer', b'{"x":' + b'[' * 100_000, 'application/json').status], {400}


def slow(server):
    with server.connect() as connection:
        connection.sendall(b'POST /v1/classify HTTP/1.1\r\nHost: ')
        return [int(served.received(connection).split()[1])], {408}


WELL_BEHAVED = [classify, classify, classify, classify_jpeg, classify_png, classify_form, classify_chunked, job, rounds, infer,
                infer_json, look, keep_alive, broken_image, unknown]
HOSTILE = [too_long, foreign, no_http, bad_chunk, goes_away, leaves_job, large_picture, deep_json, slow]
