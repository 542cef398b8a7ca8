#!/usr/bin/python3
"""Sends requests to gateways that one client has the addresses of, by grpcio's own balancing, as docs/operations.md has it.

    load_grpc.py RATE HOST:PORT...    requests in hexadecimal, a line each, from standard input; its end ends the load

Each second RATE requests leave by a schedule that waits for no answer. At the end it writes JSON: requests, failed, slowest_ms and some failures.
"""

import json
import sys
import threading
import time

import grpc

RETRY = {"maxAttempts": 5, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}
SERVICE = {"loadBalancingConfig": [{"round_robin": {}}], "methodConfig": [{"name": [{}], "retryPolicy": RETRY}]}
# Without a name of its own a list of addresses would be sent as the host's, which is none.
OPTIONS = [("grpc.service_config", json.dumps(SERVICE)), ("grpc.default_authority", "gateways")]
DEADLINE = 30


def main():
    rate = float(sys.argv[1])
    requests = []
    while line := sys.stdin.readline().strip():
        requests.append(bytes.fromhex(line))
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    times, failures, lock = [], [], threading.Lock()
    with grpc.insecure_channel("ipv4:" + ",".join(sys.argv[2:]), options=OPTIONS) as channel:
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        start = time.monotonic()
        calls = []
        while not ended.is_set():
            while len(calls) <= (time.monotonic() - start) * rate:
                calls.append(send(infer, requests[len(calls) % len(requests)], times, failures, lock))
            time.sleep(0.001)
        for call in calls:
            call.exception()
    time.sleep(0.5)
    with lock:
        print(json.dumps({"requests": len(calls), "failed": len(failures), "slowest_ms": max(times) * 1000, "failures": failures[:10]}))


def send(infer, request, times, failures, lock):
    start = time.monotonic()
    call = infer.future(request, timeout=DEADLINE)

    def done(answered):
        error = answered.exception()
        with lock:
            times.append(time.monotonic() - start)
            if error:
                failures.append(f"{error.code()}: {error.details()}")

    call.add_done_callback(done)
    return call


main()
