"""An authority, a certificate that it has signed, and a second nginx of a backend that has it."""
import subprocess

from support import servers, webserver

PORT = 443
NAME = "www.example.com"

_CONFIG = """\
daemon off;
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    log_format sni '$ssl_server_name $request';
    access_log {folder}/access.log sni;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        location / {{ return 200 "all is well\\n"; }}
    }}
}}
"""


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def make_authority(folder, name):
    """A key and a certificate of its own that may sign others; returns the path of the certificate."""
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN={name}",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
    return folder / f"{name}.pem"


def make_certificate(authority, folder, host):
    """server.key and server.pem in `folder`, for `host`, signed by the authority."""
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}",
             "-keyout", folder / "server.key", "-out", folder / "server.csr")
    (folder / "extensions").write_text(f"subjectAltName=DNS:{host}\n")
    _openssl("x509", "-req", "-in", folder / "server.csr", "-CA", authority, "-CAkey",
             authority.with_suffix(".key"), "-CAcreateserial", "-days", 2,
             "-extfile", folder / "extensions", "-out", folder / "server.pem")


def serve(lab, name, authority, host=NAME):
    """The nginx with TLS, as a context manager."""
    folder = lab.node_folder(name) / "tls"
    folder.mkdir(exist_ok=True)
    (folder / "access.log").unlink(missing_ok=True)
    make_certificate(authority, folder, host)
    (folder / "nginx.conf").write_text(_CONFIG.format(folder=folder, port=PORT, user=webserver.USER))
    return servers.running(lab, name, [webserver.NGINX, "-p", folder, "-e", folder / "error.log",
                                       "-c", folder / "nginx.conf"], folder / "output.log")


def names_asked_for(lab, name):
    """The server names (SNI) that clients have sent to the nginx of a backend; "-": none."""
    log = lab.node_folder(name) / "tls" / "access.log"
    return {line.split(" ", 1)[0] for line in log.read_text().splitlines()}
