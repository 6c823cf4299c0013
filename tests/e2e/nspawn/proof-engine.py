#!/usr/bin/python3 -IS
# SPDX-License-Identifier: Apache-2.0
# A small HTTP server that stands in for an engine. It behaves as the file "how" beside it says (a version,
# then words); its working directory is its data.
import os
import signal
import socket
import sys

here = os.path.dirname(sys.argv[0])
with open(os.path.join(here, "how")) as file:
    version, *how = file.read().split()
if "stubborn" in how:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "writes" in how:
    with open("rows", "w") as file:
        file.write("as version " + version + " keeps it\n")
if "ends" in how:
    sys.exit("version " + version + " cannot start")
if "sleeps" in how:
    while True:
        signal.pause()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
kept = []
while True:
    client = listener.accept()[0]
    if "hangs" in how:
        kept.append(client)
        continue
    try:
        client.recv(65536)
        status = "503 Service Unavailable" if "sick" in how else "200 OK"
        client.sendall(f"HTTP/1.0 {status}\r\nContent-Length: {len(version)}\r\n\r\n{version}".encode())
    except OSError:
        pass
    client.close()
