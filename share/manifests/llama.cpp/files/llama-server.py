#!python
# SPDX-License-Identifier: Apache-2.0
"""llama-server for the Python wheel of llama.cpp.

The xllamacpp wheel carries llama.cpp's own HTTP server but no command. This launcher gives it the
flags of llama-server that las uses; an unknown flag is an error, never ignored.
"""

import argparse
import os
import signal
import socket
import sys


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="llama-server", allow_abbrev=False,
                                     description="Serve one GGUF model over HTTP.")
    parser.add_argument("-m", "--model", required=True, metavar="FILE", help="model file (GGUF)")
    parser.add_argument("-a", "--alias", metavar="NAME", help="name of the model in the API")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=number(1, 65535), default=8080,
                        help="port to listen on (%(default)s)")
    parser.add_argument("-c", "--ctx-size", type=number(0, 2**31 - 1), metavar="N", default=0,
                        help="context in tokens; 0: as the model says")
    parser.add_argument("-np", "--parallel", type=number(1, 1024), metavar="N", default=1,
                        help="requests served at once (%(default)s)")
    parser.add_argument("-t", "--threads", type=number(-1, 4096), metavar="N", default=-1,
                        help="CPU threads; -1: one per core")
    parser.add_argument("-ngl", "--n-gpu-layers", type=number(-1, 2**31 - 1), metavar="N",
                        default=-1, help="layers to keep in VRAM; -1: as many as fit")
    parser.add_argument("--metrics", action="store_true", help="serve /metrics")
    parser.add_argument("--api-key-file", metavar="FILE", help="accepted API keys, one a line")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    if "--version" in argv:  # before --model is missed
        import xllamacpp
        print(f"version: {xllamacpp.__version__} (xllamacpp)")
        sys.exit(0)
    return parser.parse_args(argv)


def number(low, high):
    def convert(text):
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value
    convert.__name__ = "number"  # argparse: "invalid number value"
    return convert


def fail(message):
    print(f"llama-server: {message}", file=sys.stderr)
    sys.exit(1)


def check_model(path):
    """The server's own message for an unreadable model is a screenful; this is one line."""
    try:
        with open(path, "rb") as file:
            magic = file.read(4)
    except OSError as error:
        fail(f"cannot read the model: {path}: {error.strerror}")
    if magic != b"GGUF":
        fail(f"not a GGUF model: {path}")


def check_address(host, port):
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        fail(f"cannot listen on {host} port {port}: {error.strerror}")


def read_keys(path):
    try:
        with open(path, encoding="utf-8") as file:
            keys = [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read the API keys: {path}: {error}")
    if not keys:  # an empty list would mean: no key needed
        fail(f"no API key in {path}")
    return keys


def start_server(arguments):
    import xllamacpp
    params = xllamacpp.CommonParams()
    params.model.path = arguments.model
    params.hostnames = [arguments.host]
    params.port = arguments.port
    params.n_ctx = arguments.ctx_size
    params.n_parallel = arguments.parallel
    params.n_gpu_layers = arguments.n_gpu_layers
    params.endpoint_metrics = arguments.metrics
    params.ui = False
    if arguments.threads > 0:
        params.cpuparams.n_threads = arguments.threads
    if arguments.alias:
        params.model_alias = {arguments.alias}
    if arguments.api_key_file:
        params.api_keys = read_keys(arguments.api_key_file)
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        fail(f"the server did not start: {error}")


def wait_for_stop():
    # The C++ threads of the server take signals too, and only Python's wakeup descriptor works from
    # whichever thread the kernel picks.
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop_signal, lambda *_: None)
    while True:
        received = reader.recv(1)
        if received and received[0] in (signal.SIGTERM, signal.SIGINT):
            return


def main():
    # While a model loads, the server holds Python's lock and no handler could run: until then the
    # signals keep their default action, which ends the process at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    arguments = parse_arguments(sys.argv[1:])
    check_model(arguments.model)
    check_address(arguments.host, arguments.port)
    server = start_server(arguments)
    print(f"llama-server: listening on {server.listening_address}", file=sys.stderr, flush=True)
    wait_for_stop()
    # A running generation has nothing to save, and joining its threads could take minutes.
    os._exit(0)


if __name__ == "__main__":
    main()
