#!/usr/bin/python3
"""Asks over gRPC which digit a picture shows.

    ./infer_grpc.py [tensor.fp32 [host:port]]

Debian: apt-get install python3-grpcio python3-protobuf protobuf-compiler
"""

import importlib
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc

EXAMPLES = Path(__file__).resolve().parent.parent
PROTOS = EXAMPLES.parent / "contracts" / "Protos"


def load_messages():
    """Generates the message classes. Service stubs would need grpcio-tools; a method's path does as well."""
    with tempfile.TemporaryDirectory() as folder:
        files = ["inference.proto", "model_config.proto"]
        subprocess.run(["protoc", f"--proto_path={PROTOS}", f"--python_out={folder}", *files], check=True)
        sys.path.insert(0, folder)
        try:
            return importlib.import_module("inference_pb2")
        finally:
            sys.path.remove(folder)


def main():
    tensor = Path(sys.argv[1] if len(sys.argv) > 1 else EXAMPLES / "seven.fp32").read_bytes()
    address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1:8001"
    messages = load_messages()

    request = messages.ModelInferRequest(model_name="digits", raw_input_contents=[tensor])
    request.inputs.add(name="image", datatype="FP32", shape=[1, 1, 28, 28])

    with grpc.insecure_channel(address) as channel:
        infer = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=messages.ModelInferRequest.SerializeToString,
            response_deserializer=messages.ModelInferResponse.FromString,
        )
        try:
            response = infer(request, timeout=10)
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")

    raw = response.raw_output_contents[0]
    probabilities = struct.unpack(f"<{len(raw) // 4}f", raw)
    digit = max(range(10), key=probabilities.__getitem__)
    print(f"{response.model_name} version {response.model_version}: {digit} ({probabilities[digit]:.1%})")


if __name__ == "__main__":
    main()
