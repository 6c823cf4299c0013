#!/usr/bin/python3 -IS
# SPDX-License-Identifier: Apache-2.0
# services-engine.py PORT [SECONDS]: a small HTTP server that stands in for an engine which takes SECONDS to
# load. The file "how" in its working directory says how it behaves, also while it runs: "sick" (503 from
# /health), "fails" (ends while it loads), "stubborn" (does not end on SIGTERM). Every answer is its process.
import http.server
import json
import os
import signal
import sys
import time

begun = time.monotonic()


def how():
    try:
        with open("how") as file:
            return file.read().split()
    except OSError:
        return []


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sick = self.path == "/health" and "sick" in how()
        if self.path != "/health":
            print("asked for", self.path, flush=True)
        body = json.dumps({"pid": os.getpid(), "loaded": loaded}).encode()
        self.send_response(503 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def server_bind(self):
        # Without the look-up of the host's name that HTTPServer does.
        self.socket.setsockopt(__import__("socket").SOL_SOCKET, __import__("socket").SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]


if "stubborn" in how():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) > 2:
    time.sleep(float(sys.argv[2]))
if "fails" in how():
    sys.exit("the stand-in fails, as it was told")
server = Server(("127.0.0.1", int(sys.argv[1])), Answer)
loaded = time.monotonic() - begun
print("the stand-in is ready", flush=True)
server.serve_forever()
