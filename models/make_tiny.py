#!/usr/bin/python3
"""Writes the tiny demo models `identity` and `add_sub` next to this script (Debian: python3-onnx)."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

MODELS = Path(__file__).resolve().parent
IR_VERSION = 8
OPSET = 17


def tensor(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def save(name, nodes, inputs, outputs):
    graph = helper.make_graph(nodes, name, inputs, outputs)
    model = helper.make_model(
        graph,
        producer_name="cluster",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    onnx.checker.check_model(model, full_check=True)
    path = MODELS / name / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{path.relative_to(MODELS)}: {path.stat().st_size} bytes")


save(
    "identity",
    [helper.make_node("Identity", ["INPUT0"], ["OUTPUT0"])],
    [tensor("INPUT0", ["batch", "n"])],
    [tensor("OUTPUT0", ["batch", "n"])],
)

save(
    "add_sub",
    [
        helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
        helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"]),
    ],
    [tensor("INPUT0", ["batch", 16]), tensor("INPUT1", ["batch", 16])],
    [tensor("OUTPUT0", ["batch", 16]), tensor("OUTPUT1", ["batch", 16])],
)
