"""Requests whose framing is malformed or ambiguous: one refusal, and nothing behind them is taken for a request.

Each is followed by bytes that are a request of their own if the server takes the malformed part for complete:
behind a proxy that sees it otherwise, that would be somebody else's request."""

import re
import socket
import unittest

import served

IMAGE = served.pixels(8, 8)
SECRET = '/v1/jobs/00000000000000000000000000000000/events'  # answered with 404, which no refusal is


def setUpModule():
    global server, stack
    stack = served.contextlib.ExitStack()
    models = stack.enter_context(served.models())
    server = served.Server(models, '--max-upload', '1', '--timeout', '1', '--variants', 'res160')
    stack.callback(server.stop)


def tearDownModule():
    stack.close()


def chunk(data):
    return b'%x\r\n%s\r\n' % (len(data), data)


LAST = b'0\r\n\r\n'
WHOLE = chunk(IMAGE) + LAST
CHUNKED = 'Transfer-Encoding: chunked\r\n'

# What comes in place of a chunked body.
MALFORMED_CHUNKS = {
    'garbage for CR LF after a chunk': b'%x\r\n%sXY' % (len(IMAGE), IMAGE) + LAST,
    'nothing between a chunk and the next size': b'%x\r\n%s' % (len(IMAGE), IMAGE) + LAST,
    'LF for CR LF after a chunk': b'%x\r\n%s\n' % (len(IMAGE), IMAGE) + LAST,
    'CR for CR LF after a chunk': b'%x\r\n%s\r' % (len(IMAGE), IMAGE) + LAST,
    'a chunk longer than its size': b'%x\r\n%s\r\n' % (len(IMAGE) - 3, IMAGE) + LAST,
    'a chunk shorter than its size': b'%x\r\n%s\r\n' % (len(IMAGE) + 3, IMAGE) + LAST,
    'LF alone after the size': b'%x\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'CR alone after the size': b'%x\r%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'a size with 0x': b'0x%x\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'a size of 0x0': b'0x0\r\n\r\n',
    'a positive sign': b'+%x\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'a negative size': b'-%x\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'a size of -0': b'-0\r\n\r\n',
    'no size': b'\r\n\r\n',
    'no size, but an extension': b';a=b\r\n\r\n',
    'white space before the size': b' %x\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'white space after the size': b'%x \r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'a size in other digits': b'1g\r\n%s\r\n' % IMAGE + LAST,
    'a size that overflows 64 bits': b'1' + b'0' * 16 + b'\r\n' + WHOLE,
    'a size that overflows to that of the body': b'1' + b'0' * 8 + b'%08x\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'a size of 300 digits': b'0' * 300 + b'\r\n\r\n',
    'an extension of 5,000 bytes': b'%x;a=%s\r\n%s\r\n' % (len(IMAGE), b'b' * 5000, IMAGE) + LAST,
    'an extension without a name': b'%x;\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'an extension with LF alone': b'%x;a=b\nc\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'an extension with NUL': b'%x;a="\0"\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'an extension whose quotes do not end': b'%x;a="b\r\n%s\r\n' % (len(IMAGE), IMAGE) + LAST,
    'a last chunk without its empty line': chunk(IMAGE) + b'0\r\n',
    'a last chunk with LF alone': chunk(IMAGE) + b'0\n\n',
    'a last chunk with LF for its empty line': chunk(IMAGE) + b'0\r\n\n',
    'garbage after the last chunk': chunk(IMAGE) + b'0\r\nX',
    'a trailer that is no field': chunk(IMAGE) + b'0\r\nno field\r\n\r\n',
    'a trailer that is folded': chunk(IMAGE) + b'0\r\nA: b\r\n c\r\n\r\n',
    'a trailer with NUL': chunk(IMAGE) + b'0\r\nA: \0\r\n\r\n',
    'a trailer with LF alone': chunk(IMAGE) + b'0\r\nA: b\n\r\n',
    'a trailer with a length': chunk(IMAGE) + b'0\r\nContent-Length: 3\r\n\r\n',
    'a trailer of 100 kB': chunk(IMAGE) + b'0\r\n' + b'A: b\r\n' * 17000 + b'\r\n',
}

# Fields of a request with a body, and its body.
AMBIGUOUS_LENGTHS = {
    'two lengths': (f'Content-Length: {len(IMAGE)}\r\nContent-Length: 5\r\n', IMAGE),
    'two equal lengths': (f'Content-Length: {len(IMAGE)}\r\n' * 2, IMAGE),
    'a list of lengths': (f'Content-Length: {len(IMAGE)}, {len(IMAGE)}\r\n', IMAGE),
    'a length with a sign': (f'Content-Length: +{len(IMAGE)}\r\n', IMAGE),
    'a negative length': ('Content-Length: -1\r\n', IMAGE),
    'a length in hexadecimal digits': (f'Content-Length: 0x{len(IMAGE):x}\r\n', IMAGE),
    'a length with a fraction': (f'Content-Length: {len(IMAGE)}.0\r\n', IMAGE),
    'a length with white space inside': ('Content-Length: 1 2\r\n', IMAGE),
    'an empty length': ('Content-Length:\r\n', IMAGE),
    'a length that overflows': (f'Content-Length: {2 ** 64 + len(IMAGE)}\r\n', IMAGE),
    'a length and chunks': (f'Content-Length: {len(IMAGE)}\r\n' + CHUNKED, WHOLE),
    'chunks and a length': (CHUNKED + f'Content-Length: {len(IMAGE)}\r\n', WHOLE),
    'chunks twice': (CHUNKED * 2, WHOLE),
    'chunked, chunked': ('Transfer-Encoding: chunked, chunked\r\n', WHOLE),
    'chunked, then identity': ('Transfer-Encoding: chunked, identity\r\n', WHOLE),
    'identity': ('Transfer-Encoding: identity\r\n' + f'Content-Length: {len(IMAGE)}\r\n', IMAGE),
    'gzip, chunked': ('Transfer-Encoding: gzip, chunked\r\n', WHOLE),
    'xchunked': ('Transfer-Encoding: xchunked\r\n', WHOLE),
    'quoted chunked': ('Transfer-Encoding: "chunked"\r\n', WHOLE),
    'chunked in a folded line': ('Transfer-Encoding:\r\n chunked\r\n', WHOLE),
    'white space before the colon': ('Transfer-Encoding : chunked\r\n', WHOLE),
    'a vertical tab before chunked': ('Transfer-Encoding: \x0bchunked\r\n', WHOLE),
    'a name in white space': (' Transfer-Encoding: chunked\r\n', WHOLE),
    'NUL in a name': ('Transfer\0-Encoding: chunked\r\n', WHOLE),
    'LF alone after a field': ('A: b\nTransfer-Encoding: chunked\r\n', WHOLE),
    'CR alone in a field': ('A: b\rTransfer-Encoding: chunked\r\n', WHOLE),
    'NUL in a value': ('A: b\0c\r\n' + CHUNKED, WHOLE),
    'a folded line': ('A: b\r\n c\r\n' + CHUNKED, WHOLE),
    'a line without a colon': ('A\r\n' + CHUNKED, WHOLE),
    'an empty name': (': b\r\n' + CHUNKED, WHOLE),
    'no length at all': ('', IMAGE),
}

REQUEST_LINES = {
    'two spaces': 'POST  /v1/classify HTTP/1.1', 'a tab': 'POST\t/v1/classify HTTP/1.1',
    'white space at the end': 'POST /v1/classify HTTP/1.1 ', 'no version': 'POST /v1/classify',
    'another protocol': 'POST /v1/classify FTP/1.1', 'HTTP/2.0': 'POST /v1/classify HTTP/2.0',
    'HTTP/1.10': 'POST /v1/classify HTTP/1.10', 'HTTP/0.9': 'POST /v1/classify HTTP/0.9',
    'chunks in HTTP/1.0': 'POST /v1/classify HTTP/1.0', 'an absolute target': 'POST http://a/v1/classify HTTP/1.1',
    'an asterisk': 'POST * HTTP/1.1', 'no target': 'POST HTTP/1.1', 'NUL in the target': 'POST /v1/\0classify HTTP/1.1',
    'a percent sign alone': 'POST /v1/%classify HTTP/1.1', 'a fragment': 'POST /v1/classify#a HTTP/1.1',
    'white space before the method': ' POST /v1/classify HTTP/1.1', 'a method with a colon': 'PO:ST /v1/classify HTTP/1.1',
}


class FramingTest(unittest.TestCase):
    def head(self, line='POST /v1/classify HTTP/1.1', fields=''):
        return f'{line}\r\nHost: {server.host}\r\nContent-Type: image/png\r\n{fields}\r\n'.encode('latin-1')

    def smuggled(self):
        return f'GET {SECRET} HTTP/1.1\r\nHost: {server.host}\r\n\r\n'.encode()

    def answers(self, data, ends=False):
        with server.connect() as connection:
            with served.contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
            text = served.received(connection)
        return [int(status) for status in re.findall(r'HTTP/1\.1 (\d{3}) ', text)]

    def refused(self, data, expected=(400,)):
        for follower in self.smuggled(), b'0\r\n\r\n' + self.smuggled():
            found = self.answers(data + follower)
            self.assertEqual(len(found), 1, found)
            self.assertIn(found[0], expected)

    def test_the_request_behind_is_answered_after_a_right_one(self):
        close = f'GET {SECRET} HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n\r\n'.encode()
        for body in WHOLE, chunk(IMAGE[:5]) + chunk(IMAGE[5:]) + LAST, b'0' * 20 + b'%X\r\n' % len(IMAGE) + IMAGE + b'\r\n' + LAST, \
                b'%x;a;b="c d" ; e=f\r\n' % len(IMAGE) + IMAGE + b'\r\n000;a=b\r\nA: b\r\n\r\n':
            self.assertEqual(self.answers(self.head(fields=CHUNKED) + body + close), [200, 404], body)
        fields = f'Content-Length: {len(IMAGE)}\r\n'
        self.assertEqual(self.answers(self.head(fields=fields) + IMAGE + b'\r\n' + close), [200, 404])

    def test_malformed_chunks(self):
        for name, body in MALFORMED_CHUNKS.items():
            with self.subTest(name):
                # 413 and 431: what is too long for the limits as well.
                self.refused(self.head(fields=CHUNKED) + body, (400, 413, 431))

    def test_ambiguous_lengths(self):
        for name, (fields, body) in AMBIGUOUS_LENGTHS.items():
            with self.subTest(name):
                # 411 and 501: no length, and a coding that is not known.
                self.refused(self.head(fields=fields) + body, (400, 411, 501))

    def test_malformed_request_lines(self):
        for name, line in REQUEST_LINES.items():
            with self.subTest(name):
                self.refused(self.head(line, CHUNKED) + WHOLE, (400, 505))

    def test_a_body_that_ends_early_is_no_body(self):
        for fields, body in (CHUNKED, chunk(IMAGE)), (CHUNKED, chunk(IMAGE) + b'0\r\n'), \
                (f'Content-Length: {len(IMAGE)}\r\n', IMAGE[:-1]):
            with self.subTest(body[-9:]):
                self.assertNotIn(200, self.answers(self.head(fields=fields) + body, ends=True))


if __name__ == '__main__':
    unittest.main()
