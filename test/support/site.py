"""A small HTTP server on a node of the lab that counts what it is asked, and answers as it is told.

For what a test has to have in its hand while it runs; pages come from the nginx of the lab."""
import collections
import http.server
import socket
import socketserver
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        site = self.server.site
        site.take(self.path)
        site.gate.wait()
        body = f"backend {site.node}\n".encode()
        self.send_response(site.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    # Who hangs up on a closed gate is no error of the server's.
    handle_error = staticmethod(lambda *_: None)


class Site:
    """Answers at all addresses of `node`, so at the VIP too. `status` is the status of all answers,
    `asked` has the number of requests by path; while `gate` is cleared, no request is answered."""

    def __init__(self, lab, node, port, status=200):
        self.node, self.status = node, status
        self.asked = collections.Counter()
        self._lock = threading.Lock()
        self.gate = threading.Event()
        self.gate.set()
        with lab.inside(node):
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", port))
        self._server = _Server(("0.0.0.0", port), _Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener
        self._server.server_name, self._server.server_port = node, port
        self._server.site = self
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def take(self, path):
        """Counts a request."""
        with self._lock:
            self.asked[path] += 1

    def close(self):
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
