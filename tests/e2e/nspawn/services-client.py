#!/usr/bin/python3 -IS
# SPDX-License-Identifier: Apache-2.0
# services-client.py http|redis PORT COUNT: COUNT requests at once (redis: with the password in $WORD). Prints
# what came of them as JSON: how many were answered, by which processes, and how long the slowest took.
import collections
import json
import os
import re
import socket
import sys
import threading
import time

kind, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
line = threading.Barrier(count)
answers, faults, times, processes = [], collections.Counter(), [], set()


def ask(connection):
    if kind == "http":
        connection.sendall(b"GET /page.txt HTTP/1.0\r\nHost: localhost\r\n\r\n")
    else:
        connection.sendall(f"AUTH {os.environ['WORD']}\r\nINFO server\r\nQUIT\r\n".encode())
    text = b""
    while part := connection.recv(65536):
        text += part
    text = text.decode()
    if kind == "http" and re.match(r"HTTP/1\.[01] 200 ", text):
        return re.findall(r'"pid": (\d+)', text), re.findall(r'"loaded": ([0-9.]+)', text)
    if kind == "redis" and text.startswith("+OK"):
        return re.findall(r"process_id:(\d+)", text), []
    raise OSError("not an answer: " + text[:80])


def one():
    line.wait()
    begun = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            pids, loads = ask(connection)
        processes.update(pids)
        answers.append(loads)
        times.append(time.monotonic() - begun)
    except OSError as error:
        faults[repr(error)] += 1


threads = [threading.Thread(target=one) for _ in range(count)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
loaded = max((float(load) for loads in answers for load in loads), default=None)
print(json.dumps({
    "answered": len(answers),
    "processes": len(processes),
    "fastest": round(min(times, default=0), 3),
    "slowest": round(max(times, default=0), 3),
    "loaded": loaded and round(loaded, 3),
    "faults": dict(faults),
}))
