"""A daemon's local API as far as names go, at a socket of its own."""
import http.server
import json
import socketserver
import threading

POOLS = [{"name": "web", "backends": [{"address": "10.0.1.11"}, {"address": "10.0.1.12"}]},
         {"name": "api", "backends": [{"address": "10.0.1.12"}, {"address": "10.9.0.1"}]}]
# The second has the name that a service without one gets, the last one what a shell must not run.
SERVICES = [{"name": "shop"}, {"name": "198.51.100.1 tcp/80, udp/443"}, {"name": "shop"},
            {"name": "$(touch pwned)`touch pwned`"}]
INTERFACES = [{"name": "eth7"}, {"name": "eth8"}]
DOCUMENTS = {
    "/v1/backends": {"pools": POOLS},
    "/v1/services": {"services": SERVICES},
    "/v1/status": {"node": {"version": "0.0.9"}, "interfaces": INTERFACES},
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        document = self.server.documents.get(self.path)
        body = json.dumps(document or {"error": "no such path; there are /v1/status"}).encode()
        self.send_response(200 if document else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def address_string(self):
        return "client"

    def log_message(self, *words):
        pass


class FakeDaemon(socketserver.ThreadingUnixStreamServer):
    """Listens at `path` from the beginning to the end of a with statement."""
    daemon_threads = True

    def __init__(self, path):
        super().__init__(str(path), Handler)
        self.path = str(path)
        self.documents = dict(DOCUMENTS)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.shutdown()
        self.thread.join()
        self.server_close()
