#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a booted machine; scripts/bench.sh calls it by systemd.sh. What services cost: las at rest, a start
# by las against a bare one, and the proxy of a service on demand against its own port. Binds as in main-job.sh.
set -euo pipefail
export LAS_DATA_DIR=/las/share NO_COLOR=1
las() { /las/bin/las -q "$@"; }
apt-get update -qq
apt-get install -qq --no-install-recommends python3-minimal >/dev/null 2>&1
las install --yes redis nginx
count=0
for program in /proc/[0-9]*/exe; do [ "$(readlink "$program")" != /las/bin/las ] || count=$((count + 1)); done
echo "processes of las at rest, with two services running: $count"
python3 - <<'PYTHON'
import json, os, socket, statistics, subprocess, time, urllib.request

def las(*words):
    return subprocess.run(["/las/bin/las", "-q", *words], check=True, capture_output=True, text=True).stdout

def seconds(*argv):
    begun = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True)
    return time.perf_counter() - begun

def median(values):
    return statistics.median(values)

by_las, bare, enabled = [], [], []
for _ in range(9):
    las("stop", "redis")
    by_las.append(seconds("/las/bin/las", "-q", "start", "redis"))
    subprocess.run(["systemctl", "stop", "las-redis"], check=True)
    bare.append(seconds("systemctl", "start", "las-redis"))
    subprocess.run(["systemctl", "disable", "--now", "las-redis"], check=True, capture_output=True)
    enabled.append(seconds("systemctl", "enable", "--now", "las-redis"))
print(f"start until healthy: las start {median(by_las) * 1000:.0f} ms, systemctl start {median(bare) * 1000:.0f} ms, "
      f"systemctl enable --now (which las start is) {median(enabled) * 1000:.0f} ms, "
      f"ratio to that {median(by_las) / median(enabled):.2f}")

word = las("secret", "redis").strip()
las("enable", "--on-demand", "--idle", "60s", "--yes", "redis", "nginx")
services = {s["name"]: s for s in json.loads(las("status", "--json"))["services"]}
generation = json.load(open("/var/lib/las/current/generation.json"))
inner = {s["id"]: s["on_demand"]["inner_port"] for s in generation["services"]}

def pings(port, count=3000):
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        def ask(text):
            link.sendall(text)
            return link.recv(100)
        ask(f"AUTH {word}\r\n".encode())
        times = []
        for _ in range(count):
            begun = time.perf_counter()
            assert ask(b"PING\r\n") == b"+PONG\r\n"
            times.append((time.perf_counter() - begun) * 1e6)
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100]

pings(services["redis"]["port"], 10)
direct, proxied = pings(inner["redis"]), pings(services["redis"]["port"])
print(f"round trip: own port p50 {direct[0]:.0f} us p99 {direct[1]:.0f} us, through the proxy p50 {proxied[0]:.0f} us "
      f"p99 {proxied[1]:.0f} us, ratio p50 {proxied[0] / direct[0]:.2f} p99 {proxied[1] / direct[1]:.2f}")

os.makedirs("/var/lib/private/las/data/nginx/html", exist_ok=True)
size = 256 << 20
with open("/var/lib/private/las/data/nginx/html/file", "wb") as file:
    file.truncate(size)
os.chmod("/var/lib/private/las/data/nginx/html", 0o755)

def rate(port):
    begun = time.perf_counter()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/file") as answer:
        while answer.read(1 << 20):
            pass
    return size / (time.perf_counter() - begun) / 1e6

rate(services["nginx"]["port"])
own = median([rate(inner["nginx"]) for _ in range(5)])
through = median([rate(services["nginx"]["port"]) for _ in range(5)])
print(f"transfer: own port {own:.0f} MB/s, through the proxy {through:.0f} MB/s, ratio {through / own:.2f}")
PYTHON
echo "SERVICES BENCH DONE"
