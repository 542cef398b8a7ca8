"""Drives a KServe v2 server with grpcio and http.client: one JSON command a line in, one JSON answer a line out."""

import argparse
import json
import platform
import sys
import threading
import time
from pathlib import Path
from typing import Any

import google.protobuf
import grpc

import rest
from messages import Messages
from rpc import Rpc, Running

# How long the calls under way may still take after the end of the input.
GRACE_SECONDS = 5.0
FLOAT_MAX = 3.4028234663852886e38


def parse_float(text: str) -> Any:
    # json_format refuses 3.4028235E+38, the shortest form of the largest float, as a number but takes it as text.
    return text if abs(float(text)) > FLOAT_MAX else float(text)


def parse_int(text: str) -> Any:
    return -0.0 if text == "-0" else int(text)


class Driver:
    def __init__(self, messages: Messages) -> None:
        rpc = Rpc(messages)
        self._calls = {
            "unary": rpc.unary,
            "raw_unary": rpc.raw_unary,
            "stream": rpc.stream,
            "server_stream": rpc.server_stream,
            "load": rpc.load,
        }
        self._running: dict[Any, Running] = {}
        self._threads: set[threading.Thread] = set()
        self._output = threading.Lock()

    def accept(self, line: str) -> None:
        """Registers the command before the next line is read, so that a cancel may follow at once."""
        try:
            command = json.loads(line, parse_float=parse_float, parse_int=parse_int)
            if not isinstance(command, dict):
                raise ValueError("a JSON object is expected")
            identity = {"id": command["id"]} if "id" in command else {}
        except ValueError as failure:
            self._write({"driverError": f"not a command: {failure}"})
            return
        running = Running()
        if identity:
            self._running[command["id"]] = running
        thread = threading.Thread(target=self._answer, args=(identity, command, running), daemon=True)
        self._threads.add(thread)
        thread.start()

    def finish(self) -> None:
        deadline = time.monotonic() + GRACE_SECONDS
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _answer(self, identity: dict[str, Any], command: dict[str, Any], running: Running) -> None:
        try:
            result = self._run(command, running)
        except Exception as failure:  # A bad command must not end the driver.
            result = {"driverError": f"{type(failure).__name__}: {failure}"}
        if identity:
            self._running.pop(command["id"], None)
        self._write({**identity, **result})
        self._threads.discard(threading.current_thread())

    def _run(self, command: dict[str, Any], running: Running) -> dict[str, Any]:
        op = command["op"]
        if op in self._calls:
            return self._calls[op](command, running)
        if op == "http":
            return rest.send(command)
        if op == "cancel":
            return self._cancel(self._running.get(command["of"]))
        if op == "await_responses":
            return self._await_responses(command)
        if op == "version":
            return version()
        raise ValueError(f"unknown op {op!r}")

    def _cancel(self, running: Running | None) -> dict[str, Any]:
        if running is not None:
            running.cancel()
        return {"cancelled": running is not None}

    def _await_responses(self, command: dict[str, Any]) -> dict[str, Any]:
        running = self._running.get(command["of"])
        if running is None:
            raise ValueError(f"call {command['of']!r} is not running")
        return {"responses": running.wait_for(command["count"], command.get("timeout"))}

    def _write(self, answer: dict[str, Any]) -> None:
        text = json.dumps(answer, allow_nan=False)
        with self._output:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()


def version() -> dict[str, Any]:
    return {"versions": {"python": platform.python_version(), "grpcio": grpc.__version__, "protobuf": google.protobuf.__version__}}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--protos", type=Path, required=True, nargs="+", help="folders of the .proto files")
    arguments.add_argument("--generated", type=Path, required=True, help="folder for the modules that protoc writes")
    options = arguments.parse_args()
    driver = Driver(Messages([folder.resolve() for folder in options.protos], options.generated.resolve()))
    for line in sys.stdin:
        if line.strip():
            driver.accept(line)
    driver.finish()


if __name__ == "__main__":
    main()
