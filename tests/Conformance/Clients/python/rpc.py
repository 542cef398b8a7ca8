"""gRPC calls through grpcio: one result object per call, for every outcome."""

import base64
import threading
import time
from collections import Counter
from typing import Any, Callable, Iterator, Optional

import grpc

from messages import Messages, from_json, to_json

CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    # A server that was restarted is found again at once, not after the usual back-off of up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Not a pause but the least time that an attempt to connect gets: enough for a busy machine.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    ("grpc.max_reconnect_backoff_ms", 500),
]
COMPRESSIONS = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate, "none": grpc.Compression.NoCompression}
# What belongs to the transport. Other clients show it, grpcio hides part of it; no driver reports it.
HIDDEN_METADATA = {"content-type", "grpc-encoding", "grpc-accept-encoding", "grpc-status", "grpc-message", "te"}

Metadata = list[tuple[str, Any]]
Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]


class Running:
    """A call under way that other commands may cancel or, if it streams, watch."""

    def __init__(self) -> None:
        self.responses: list[Any] = []
        self.ended = False
        self.changed = threading.Condition()
        self.cancelled = threading.Event()
        self._call: Optional[grpc.Future] = None

    def attach(self, call: grpc.Future) -> None:
        self._call = call
        if self.cancelled.is_set():
            call.cancel()

    def cancel(self) -> None:
        self.cancelled.set()
        if self._call is not None:
            self._call.cancel()

    def add(self, response: Any) -> int:
        with self.changed:
            self.responses.append(response)
            self.changed.notify_all()
            return len(self.responses)

    def end(self) -> None:
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, count: int, timeout: Optional[float]) -> list[Any]:
        with self.changed:
            self.changed.wait_for(lambda: self.ended or len(self.responses) >= count, timeout)
            return list(self.responses)


class Rpc:
    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._channels: dict[str, grpc.Channel] = {}
        self._lock = threading.Lock()

    def unary(self, command: dict[str, Any], running: Running) -> dict[str, Any]:
        encode, decode = self._codec(command["method"])
        request = encode(command.get("request", {}))
        return self._unary(command, running, request, lambda data: {"response": decode(data)})

    def raw_unary(self, command: dict[str, Any], running: Running) -> dict[str, Any]:
        request = base64.b64decode(command["request_base64"], validate=True)
        return self._unary(command, running, request, lambda data: {"response_base64": base64.b64encode(data).decode()})

    def stream(self, command: dict[str, Any], running: Running) -> dict[str, Any]:
        encode, decode = self._codec(command["method"])
        requests = [encode(request) for request in command["requests"]]
        call = self._channel(command).stream_stream(path(command), None, decode)
        return self._read(command, running, call(self._feed(command, running, requests), **call_options(command)))

    def server_stream(self, command: dict[str, Any], running: Running) -> dict[str, Any]:
        encode, decode = self._codec(command["method"])
        call = self._channel(command).unary_stream(path(command), None, decode)
        return self._read(command, running, call(encode(command.get("request", {})), **call_options(command)))

    def load(self, command: dict[str, Any], running: Running) -> dict[str, Any]:
        """A closed loop: each worker sends its next call when the last one is answered."""
        encode, _ = self._codec(command["method"])
        request = encode(command.get("request", {}))
        call = self._channel(command).unary_unary(path(command))
        options = call_options(command)
        outcomes: list[tuple[str, str]] = []
        started = time.monotonic()

        def work() -> None:
            while time.monotonic() - started < command["seconds"] and not running.cancelled.is_set():
                answer = call.future(request, **options)
                settle(answer)
                outcomes.append((answer.code().name, answer.details() or ""))

        workers = [threading.Thread(target=work, daemon=True) for _ in range(command["concurrency"])]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return {
            "counts": dict(Counter(code for code, _ in outcomes)),
            "details": {code: details for code, details in reversed(outcomes)},
            "elapsedMs": milliseconds_since(started),
        }

    def _unary(
        self, command: dict[str, Any], running: Running, request: bytes, decode: Callable[[bytes], dict[str, Any]]
    ) -> dict[str, Any]:
        started = time.monotonic()
        call = self._channel(command).unary_unary(path(command), None, decode).future(request, **call_options(command))
        return self._finish(command, running, call, started, lambda: settle(call) or {})

    def _read(self, command: dict[str, Any], running: Running, call: Any) -> dict[str, Any]:
        limit = command.get("maxResponses")

        def drain() -> dict[str, Any]:
            try:
                for response in call:
                    if running.add(response) == limit:
                        call.cancel()
                        break
            except (grpc.RpcError, grpc.FutureCancelledError):
                pass  # The outcome is read from the call itself.
            finally:
                running.end()
            return {"responses": running.responses}

        return self._finish(command, running, call, time.monotonic(), drain)

    def _finish(
        self, command: dict[str, Any], running: Running, call: Any, started: float, receive: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        running.attach(call)
        timer = None
        if "cancelAfterMs" in command:
            timer = threading.Timer(command["cancelAfterMs"] / 1000, running.cancel)
            timer.daemon = True
            timer.start()
        received = receive()
        if timer is not None:
            timer.cancel()
        return {
            "code": call.code().name,
            "details": call.details() or "",
            **received,
            "initialMetadata": shown(call.initial_metadata()),
            "trailers": shown(call.trailing_metadata()),
            "elapsedMs": milliseconds_since(started),
        }

    def _feed(self, command: dict[str, Any], running: Running, requests: list[bytes]) -> Iterator[bytes]:
        for sent, request in enumerate(requests):
            if command.get("lockstep") and len(running.wait_for(sent, None)) < sent:
                return
            yield request
        if not command.get("halfClose", True):
            with running.changed:
                running.changed.wait_for(lambda: running.ended)

    def _codec(self, method: str) -> tuple[Encode, Decode]:
        descriptor = self._messages.method(method)
        request_class = self._messages.class_of(descriptor.input_type)
        response_class = self._messages.class_of(descriptor.output_type)
        return (
            lambda value: from_json(value, request_class).SerializeToString(),
            lambda data: to_json(response_class.FromString(data)),
        )

    def _channel(self, command: dict[str, Any]) -> grpc.Channel:
        target = command["target"]
        with self._lock:
            if target not in self._channels:
                self._channels[target] = grpc.insecure_channel(target, CHANNEL_OPTIONS)
            return self._channels[target]


def settle(call: grpc.Future) -> Optional[Any]:
    """Waits for the end; None when the call failed, which its code and details tell."""
    try:
        return call.result()
    except (grpc.RpcError, grpc.FutureCancelledError):
        return None


def path(command: dict[str, Any]) -> str:
    return "/" + command["method"].lstrip("/")


def call_options(command: dict[str, Any]) -> dict[str, Any]:
    return {
        "timeout": command.get("timeout"),
        "metadata": sent(command.get("metadata", {})),
        "compression": COMPRESSIONS[command.get("compression", "none")],
    }


def sent(metadata: dict[str, Any]) -> Metadata:
    pairs: Metadata = []
    for key, values in metadata.items():
        for value in values if isinstance(values, list) else [values]:
            pairs.append((key, base64.b64decode(value, validate=True) if key.endswith("-bin") else value))
    return pairs


def shown(metadata: Optional[Any]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for key, value in metadata or ():
        if key in HIDDEN_METADATA:
            continue
        text = base64.b64encode(value).decode() if isinstance(value, bytes) else value
        merged[key] = f"{merged[key]}, {text}" if key in merged else text
    return merged


def milliseconds_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 3)
