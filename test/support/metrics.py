"""What a daemon's /metrics says, read as strictly as the text format (0.0.4) is written; and the same
numbers, looked up in its status."""
import http.client
import re

from prometheus_client.parser import text_string_to_metric_families

from support import process

PORT = 9477
CONTENT_TYPE = "text/plain; version=0.0.4"
_COMMENT = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)")


def get(lab, path="/metrics", node="lb1", port=PORT, method="GET"):
    """(status, content type, text) of a request to the metrics port, from the load balancer itself."""
    with lab.inside(node):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=process.patient(10))
        connection.connect()
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type"), response.read().decode()
    finally:
        connection.close()


def parse(text):
    """{name: {labels: value}}, labels as a frozenset of pairs; fails where the text is not right."""
    _check_comments(text)
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type in ("counter", "gauge") and family.documentation, family
        for sample in family.samples:
            labels = frozenset(sample.labels.items())
            values = found.setdefault(sample.name, {})
            assert labels not in values, f"{sample.name}{sample.labels} is there twice"
            values[labels] = sample.value
            if family.type == "counter":
                assert sample.name.endswith("_total") and sample.value >= 0, sample
                assert sample.value == int(sample.value), sample
            else:
                assert not sample.name.endswith("_total"), sample
    return found


def _check_comments(text):
    """Each family has HELP and then TYPE, once, and all its samples behind them (the parser would
    take them anywhere)."""
    assert text.endswith("\n")
    known, current, kinds = set(), None, []
    for line in text.splitlines():
        if line.startswith("#"):
            kind, name, _ = _COMMENT.fullmatch(line).groups()
            if kind == "HELP":
                assert name not in known, f"{name} is there twice"
                known.add(name)
                current, kinds = name, []
            assert name == current, line
            kinds.append(kind)
        else:
            assert kinds == ["HELP", "TYPE"], line
            assert re.split(r"[{ ]", line, maxsplit=1)[0] == current, line


def scrape(lab, node="lb1", port=PORT):
    status, content_type, text = get(lab, node=node, port=port)
    assert status == 200 and content_type.startswith(CONTENT_TYPE), (status, content_type)
    return parse(text)


# Numbers of a worker that are no counters: flows by class, and sums over other numbers.
_NO_COUNTERS = ("flows_opening", "flows_established", "flows_closing", "flows_udp", "flow_table_capacity",
                "drops", "dropped", "in_flight")
_BACKEND = {"usable": "usable", "weight": "weight", "table_entries": "table_entries"}
_BACKEND_TOTALS = {"flows": "flows", "packets": "forwarded_packets", "bytes": "forwarded_bytes"}


def _worker(counters, labels):
    for name, value in counters.items():
        if name not in _NO_COUNTERS:
            yield f"guideway_worker_{name}_total", labels, value
    for reason, value in counters["drops"].items():
        yield "guideway_worker_drops_total", {**labels, "reason": reason}, value


def _interfaces(status):
    for interface in status["interfaces"]:
        own = {"interface": interface["name"]}
        yield "guideway_interface_attached", own, interface["attachment"] != "lost"
        yield "guideway_interface_mtu_bytes", own, interface["mtu"]
        for verdict, value in interface["steering"].items():
            yield "guideway_steering_packets_total", {**own, "verdict": verdict}, value
        for queue in interface["queues"]:
            labels = {**own, "queue": str(queue["queue"])}
            yield from _worker(queue["worker"], labels)
            yield "guideway_worker_generation", labels, queue["generation"]
            yield "guideway_worker_stalled_seconds", labels, queue["stalled_seconds"]
            yield "guideway_flow_table_capacity", labels, queue["worker"]["flow_table_capacity"]
            for kind in ("opening", "established", "closing", "udp"):
                yield "guideway_flows", {**labels, "class": kind}, queue["worker"][f"flows_{kind}"]
            for name, value in queue["socket"].items():
                yield f"guideway_xsk_{name}_total", labels, value
    yield from _worker(status["retired"], {"interface": "retired", "queue": ""})


def _pools(status):
    for pool in status["pools"]:
        own = {"pool": pool["name"]}
        yield "guideway_pool_table_digest", own, int(pool["table_digest"], 16)
        yield "guideway_pool_backends", own, len(pool["backends"])
        for name in ("healthy", "healthy_backends", "min_healthy", "empty", "table_size"):
            yield f"guideway_pool_{name}", own, pool[name]
        for backend in pool["backends"]:
            labels = {**own, "backend": backend["address"]}
            for name, key in _BACKEND.items():
                yield f"guideway_backend_{name}", labels, backend[key]
            for name, key in _BACKEND_TOTALS.items():
                yield f"guideway_backend_{name}_total", labels, backend[key]
            for direction in ("up", "down"):
                yield ("guideway_backend_transitions_total", {**labels, "to": direction},
                       backend[f"went_{direction}"])
            yield "guideway_backend_up", labels, backend["health"] in ("up", "unchecked")
            yield "guideway_backend_health", {**labels, "state": backend["health"]}, 1
            yield "guideway_backend_drained", labels, backend["drain"] != ""
            yield "guideway_backend_weight_ratio", labels, backend["weight_percent"] / 100
            for check in backend["checks"]:
                for result in ("passed", "failed"):
                    yield ("guideway_probes_total", {**labels, "check": check["what"], "result": result},
                           check[result])
                yield "guideway_check_up", {**labels, "check": check["what"]}, check["state"] == "up"


def of_status(status):
    """The same shape as parse(), out of the status document."""
    found = {}

    def add(name, labels, value):
        found.setdefault(name, {})[frozenset(labels.items())] = float(value)
    node, reloads = status["node"], status["reloads"]
    add("guideway_build_info", {"version": node["version"]}, 1)
    add("guideway_ready", {}, node["ready"])
    add("guideway_generation", {}, status["generation"])
    add("guideway_config_digest", {}, int(node["config_digest"], 16))
    add("guideway_reloads_total", {"result": "succeeded"}, reloads["succeeded"])
    add("guideway_reloads_total", {"result": "failed"}, reloads["failed"])
    add("guideway_last_reload_succeeded", {}, reloads["last_succeeded"])
    add("guideway_suppressed_log_lines_total", {}, status["suppressed_log_lines"])
    for service in status["services"]:
        labels = {"service": service["name"], "vip": service["vip"], "protocol": service["protocol"],
                  "port": str(service["port"]), "pool": service["pool"]}
        add("guideway_service_packets_total", labels, service["forwarded_packets"])
        add("guideway_service_bytes_total", labels, service["forwarded_bytes"])
        add("guideway_service_healthy", labels, service["healthy"])
    for part in (_interfaces, _pools):
        for name, labels, value in part(status):
            add(name, labels, value)
    return found
