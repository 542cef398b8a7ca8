"""HTTP requests whose headers and bytes are exactly those of the command, one connection each."""

import base64
import gzip
import http.client
import time
import zlib
from typing import Any
from urllib.parse import urlsplit

COMPRESS = {"gzip": gzip.compress, "deflate": zlib.compress}
DECOMPRESS = {"gzip": gzip.decompress, "deflate": zlib.decompress}


def send(command: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic()
    url = urlsplit(command["url"])
    if url.scheme != "http":
        raise ValueError(f"not an http:// URL: {command['url']}")
    # Not put together from the parsed parts: dots, escapes and empty segments must arrive as they were written.
    target = command["url"].partition("//")[2].partition("/")
    connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=command.get("timeout"))
    try:
        try:
            write(connection, command, target[1] + target[2] or "/")
        except (BrokenPipeError, ConnectionResetError):
            pass  # A server may refuse a request before it has read it all: its answer counts.
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as failure:
        return {"status": 0, "error": kind(failure), "details": f"{type(failure).__name__}: {failure}",
                "elapsedMs": milliseconds_since(started)}
    finally:
        connection.close()
    return result(response, body) | {"elapsedMs": milliseconds_since(started)}


def write(connection: http.client.HTTPConnection, command: dict[str, Any], target: str) -> None:
    method = command.get("method", "GET")
    body = base64.b64decode(command["body_base64"], validate=True) if "body_base64" in command else None
    headers: dict[str, Any] = dict(command.get("headers", {}))
    if "compress" in command:
        body = COMPRESS[command["compress"]](body or b"")
        headers["Content-Encoding"] = command["compress"]
    names = {name.lower() for name in headers}
    chunked = any("chunked" in str(values).lower() for name, values in headers.items() if name.lower() == "transfer-encoding")

    connection.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
    for name, values in headers.items():
        for value in values if isinstance(values, list) else [values]:
            connection.putheader(name, value)
    if "connection" not in names:
        connection.putheader("Connection", "close")
    if not chunked and "content-length" not in names and (body is not None or method in ("POST", "PUT", "PATCH")):
        connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders(body or None, encode_chunked=chunked)


def result(response: http.client.HTTPResponse, body: bytes) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    encoding = headers.get("content-encoding", "")
    if encoding in DECOMPRESS and body:
        body = DECOMPRESS[encoding](body)
    return {"status": response.status, "headers": headers, "content_encoding": encoding,
            "body_base64": base64.b64encode(body).decode()}


def kind(failure: Exception) -> str:
    if isinstance(failure, TimeoutError):
        return "timeout"
    if isinstance(failure, ConnectionRefusedError):
        return "refused"
    if isinstance(failure, (ConnectionError, http.client.IncompleteRead)):
        return "closed"
    return "other"


def milliseconds_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 3)
