#!/usr/bin/python3
"""Asks a model over gRPC, with grpcio, and says what came back.

    ask_grpc.py HOST:PORT MODEL INPUT SHAPE VALUES --class            the place of the largest value of the first output
    ask_grpc.py HOST:PORT MODEL INPUT SHAPE VALUES --reference FILE   whether the first output equals an ONNX TensorProto, to a thousandth

VALUES is a file of FP32 values, or "ramp" for 0, 1/n, 2/n, … The messages are those of examples/python.
"""

import math
import struct
import sys
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples" / "python"))

from infer_grpc import load_messages  # noqa: E402

TOLERANCE = 1e-3
RAW_DATA = 9


def raw_data(tensor):
    """The bytes of field 9 of a serialized TensorProto."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = tensor[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(tensor):
        tag = varint()
        if tag & 7 == 0:
            varint()
        else:
            length = varint()
            if tag >> 3 == RAW_DATA:
                return tensor[at : at + length]
            at += length
    sys.exit("no raw_data")


def floats(raw):
    return struct.unpack(f"<{len(raw) // 4}f", raw)


def main():
    address, model, name, shape, values, what, *rest = sys.argv[1:]
    shape = [int(size) for size in shape.split(",")]
    count = math.prod(shape)
    raw = struct.pack(f"<{count}f", *(i / count for i in range(count))) if values == "ramp" else Path(values).read_bytes()
    messages = load_messages()
    request = messages.ModelInferRequest(model_name=model, raw_input_contents=[raw])
    request.inputs.add(name=name, datatype="FP32", shape=shape)
    with grpc.insecure_channel(address) as channel:
        infer = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=messages.ModelInferRequest.SerializeToString,
            response_deserializer=messages.ModelInferResponse.FromString,
        )
        try:
            response = infer(request, timeout=30)
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")

    found = floats(response.raw_output_contents[0])
    if what == "--class":
        print(max(range(len(found)), key=found.__getitem__))
        return

    expected = floats(raw_data(Path(rest[0]).read_bytes()))
    scale = max(map(abs, expected))
    equal = len(found) == len(expected) and all(abs(a - b) <= TOLERANCE * max(abs(b), scale * TOLERANCE) for a, b in zip(found, expected))
    print("equal" if equal else f"differs: {found[:5]} instead of {expected[:5]}")


if __name__ == "__main__":
    main()
