"""A real nginx for each backend, with nothing of the machine's own nginx: its own configuration,
pid file, logs and temporary folders.

    GET /            which backend this is, and which client it sees
    GET /large.bin   LARGE_BYTES bytes, the same on every backend (large_file())
    GET /own.bin     OWN_BYTES bytes, of this backend's own (own_file())
    PUT /upload/X    kept in the backend's folder `upload`
"""
import collections
import functools
import hashlib
import os
import shutil

NGINX = "/usr/sbin/nginx"
USER = "www-data"
LARGE_BYTES = 1 << 20
OWN_BYTES = 1 << 18

# One line of the access log.
Request = collections.namedtuple("Request", "client port status bytes number method path")

_CONFIG = """\
daemon off;
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
    log_format lab '$remote_addr $remote_port $status $body_bytes_sent $connection_requests $request';
    access_log {folder}/access.log lab;
    client_body_temp_path {folder}/temp/body;
    proxy_temp_path {folder}/temp/proxy;
    fastcgi_temp_path {folder}/temp/fastcgi;
    uwsgi_temp_path {folder}/temp/uwsgi;
    scgi_temp_path {folder}/temp/scgi;
    client_max_body_size 64m;
    keepalive_timeout 60s;
    keepalive_requests 100000;
    server {{
        listen 80 backlog=4096;
        root {folder}/www;
        location = / {{
            default_type text/plain;
            return 200 "backend {name}\\nclient $remote_addr:$remote_port\\n";
        }}
        location /upload/ {{ alias {folder}/upload/; dav_methods PUT; }}
    }}
}}
"""


def _noise(seed, length):
    """Bytes that look random, so that no two parts are alike."""
    return b"".join(hashlib.sha256(seed + i.to_bytes(8, "big")).digest() for i in range(length // 32))


@functools.cache
def large_file():
    """The content of /large.bin."""
    return _noise(b"", LARGE_BYTES)


@functools.cache
def own_file(name):
    """The content of /own.bin of a backend."""
    return _noise(name.encode(), OWN_BYTES)


def write_site(folder, name):
    """Fills `folder` with all that an nginx needs; returns the command that starts it."""
    for part in ("www", "upload", "temp"):
        os.makedirs(f"{folder}/{part}", exist_ok=True)
    for part in ("upload", "temp"):
        shutil.chown(f"{folder}/{part}", USER)
    with open(f"{folder}/www/large.bin", "wb") as file:
        file.write(large_file())
    with open(f"{folder}/www/own.bin", "wb") as file:
        file.write(own_file(name))
    with open(f"{folder}/nginx.conf", "w", encoding="ascii") as file:
        file.write(_CONFIG.format(folder=folder, name=name, user=USER))
    return [NGINX, "-p", folder, "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]


def requests(folder):
    """All requests that the access log in `folder` has, oldest first."""
    with open(f"{folder}/access.log", encoding="ascii") as file:
        return [_request(line) for line in file]


def _request(line):
    client, port, status, length, number, method, path, _ = line.split(" ", 7)
    return Request(client, int(port), int(status), int(length), int(number), method, path)
