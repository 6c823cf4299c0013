# SPDX-License-Identifier: Apache-2.0
"""Stand-in for the xllamacpp wheel: says what it was asked for, then has the process stopped."""

import json
import os
import signal
import threading
import types

__version__ = "1.2.3"


class CommonParams:
    def __init__(self):
        self.model = types.SimpleNamespace(path="")
        self.cpuparams = types.SimpleNamespace(n_threads=-1)


def _as_json(value):
    return sorted(value) if isinstance(value, set) else vars(value)


def _stop_when_handled():
    while not callable(signal.getsignal(signal.SIGTERM)):
        threading.Event().wait(0.001)
    os.kill(os.getpid(), signal.SIGTERM)


class Server:
    def __init__(self, params):
        print(json.dumps(vars(params), default=_as_json, sort_keys=True), flush=True)
        if os.environ.get("STAND_IN_FAILS"):
            raise RuntimeError("no memory")
        self.listening_address = "http://stand-in"
        threading.Thread(target=_stop_when_handled, daemon=True).start()
