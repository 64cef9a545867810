"""A server of one file, which can stop in the middle, or refuse to go on where a client has stopped."""

import contextlib
import http.server
import threading


class FileServer:
    def __init__(self, content):
        self.content = content
        self.has_file = True        # answers 404 otherwise
        self.sends_parts = True     # whether it knows Range
        self.stop_after = None      # close the connection after so many bytes
        self.hold_after = None      # send no more than so many bytes, but keep the connection
        self.holding = threading.Event()
        self.ranges = []            # the header Range of each request, or None


@contextlib.contextmanager
def serving(content):
    """A FileServer with its `url`."""
    state = FileServer(content)
    ended = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            wanted = self.headers['Range']
            state.ranges.append(wanted)
            if not state.has_file:
                self.send_error(404)
                return
            first = int(wanted.removeprefix('bytes=').removesuffix('-')) if wanted and state.sends_parts else 0
            if wanted and state.sends_parts and first >= len(state.content):
                self.send_response(416)
                self.send_header('Content-Range', f'bytes */{len(state.content)}')
                self.send_header('Content-Length', '0')
                self.end_headers()
                return
            body = state.content[first:]
            self.send_response(206 if wanted and state.sends_parts else 200)
            if wanted and state.sends_parts:
                self.send_header('Content-Range', f'bytes {first}-{len(state.content) - 1}/{len(state.content)}')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            limit = state.stop_after if state.stop_after is not None else state.hold_after
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body if limit is None else body[:limit])
                self.wfile.flush()
                if state.hold_after is not None:
                    state.holding.set()
                    ended.wait(60)

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    state.url = f'http://127.0.0.1:{server.server_port}/weights.pth'
    try:
        yield state
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
