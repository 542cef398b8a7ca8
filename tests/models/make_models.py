#!/usr/bin/python3
"""Writes every model of this folder, one folder a model (Debian: python3-onnx). README.md says what each is for."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper
from onnx.helper import make_node as node
from onnx.helper import make_tensor as constant
from onnx.helper import make_tensor_value_info as tensor

MODELS = Path(__file__).resolve().parent
IR_VERSION = 8
OPSET = 17

FP32 = TensorProto.FLOAT
INT64 = TensorProto.INT64

IDENTITY_TYPES = {
    "bool": TensorProto.BOOL,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "fp16": TensorProto.FLOAT16,
    "bf16": TensorProto.BFLOAT16,
    "fp32": TensorProto.FLOAT,
    "fp64": TensorProto.DOUBLE,
    "string": TensorProto.STRING,
}

# Order and names are unsorted on purpose: a server that sorts its outputs must be caught.
CAST_OUTPUTS = {
    "as_int64": TensorProto.INT64,
    "as_fp64": TensorProto.DOUBLE,
    "as_bool": TensorProto.BOOL,
    "as_fp16": TensorProto.FLOAT16,
    "as_string": TensorProto.STRING,
    "as_fp32": TensorProto.FLOAT,
}

CLASSES = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay"]


def write(path, content):
    path = MODELS / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"{path.relative_to(MODELS)}: {len(content)} bytes")


def save(name, nodes, inputs, outputs, constants=(), version=1, check=True):
    graph = helper.make_graph(nodes, name, inputs, outputs, initializer=list(constants))
    model = helper.make_model(
        graph,
        producer_name="cluster-tests",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    if check:
        onnx.checker.check_model(model, full_check=True)
    write(f"{name}/{version}/model.onnx", model.SerializeToString(deterministic=True))


def identity(name, datatype, shape):
    save(
        name,
        [node("Identity", ["INPUT0"], ["OUTPUT0"])],
        [tensor("INPUT0", datatype, shape)],
        [tensor("OUTPUT0", datatype, shape)],
    )


def identities():
    for suffix, datatype in IDENTITY_TYPES.items():
        identity(f"identity_{suffix}", datatype, ["a", "b"])
    identity("scalar_fp32", FP32, [])
    identity("vector_fp32", FP32, ["n"])
    identity("big_fp32", FP32, ["n"])
    identity("fixed_fp32", FP32, [1, 16])
    identity("classify", FP32, ["batch", len(CLASSES)])
    write("classify/1/labels.txt", "".join(f"{label}\n" for label in CLASSES).encode())


def arithmetic():
    save(
        "add_one",
        [node("Add", ["b", "one"], ["a"])],
        [tensor("b", FP32, [1, 10])],
        [tensor("a", FP32, [1, 10])],
        [constant("one", FP32, [1], [1.0])],
    )
    save(
        "add_sub_int32",
        [
            node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
            node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"]),
        ],
        [tensor(name, TensorProto.INT32, ["batch", 16]) for name in ("INPUT0", "INPUT1")],
        [tensor(name, TensorProto.INT32, ["batch", 16]) for name in ("OUTPUT0", "OUTPUT1")],
    )
    save(
        "batchy",
        [node("ReduceSum", ["INPUT0", "axes"], ["OUTPUT0"], keepdims=0)],
        [tensor("INPUT0", FP32, ["batch", 4])],
        [tensor("OUTPUT0", FP32, ["batch"])],
        [constant("axes", INT64, [1], [1])],
    )
    save(
        "nan_inf",
        [node("Div", ["INPUT0", "zero"], ["OUTPUT0"])],
        [tensor("INPUT0", FP32, ["n"])],
        [tensor("OUTPUT0", FP32, ["n"])],
        [constant("zero", FP32, [1], [0.0])],
    )
    for version in (1, 2, 3):
        save(
            "multi",
            [node("Add", ["INPUT0", "number"], ["OUTPUT0"])],
            [tensor("INPUT0", FP32, ["n"])],
            [tensor("OUTPUT0", FP32, ["n"])],
            [constant("number", FP32, [1], [float(version)])],
            version=version,
        )


def shapes_and_types():
    save(
        "many_outputs",
        [node("Cast", ["INPUT0"], [name], to=to) for name, to in CAST_OUTPUTS.items()],
        [tensor("INPUT0", FP32, ["n"])],
        [tensor(name, to, ["n"]) for name, to in CAST_OUTPUTS.items()],
    )
    save(
        "nonzero",
        [node("NonZero", ["INPUT0"], ["OUTPUT0"])],
        [tensor("INPUT0", FP32, ["n"])],
        [tensor("OUTPUT0", INT64, [1, "m"])],
    )
    # ONNX's checker wants a shape on every output; exporters leave it out all the same, and ONNX Runtime loads that.
    save(
        "unknown_rank",
        [node("Reshape", ["INPUT0", "shape"], ["OUTPUT0"])],
        [tensor("INPUT0", FP32, ["n"]), tensor("shape", INT64, ["rank"])],
        [tensor("OUTPUT0", FP32, None)],
        check=False,
    )
    # ONNX's checker wants other names; exporters do this all the same, and ONNX Runtime loads it.
    save(
        "pass_through",
        [node("Neg", ["x"], ["y"])],
        [tensor("x", FP32, ["n"])],
        [tensor(name, FP32, ["n"]) for name in ("y", "x", "y")],
        check=False,
    )
    # The initializer is also a graph input: a caller may leave it out or override it.
    save(
        "defaults",
        [node("Mul", ["X", "scale"], ["Y"])],
        [tensor("X", FP32, [2]), tensor("scale", FP32, [1])],
        [tensor("Y", FP32, [2])],
        [constant("scale", FP32, [1], [2.0])],
    )


def troublesome():
    save(
        "fails_at_run",
        [node("Gather", ["values", "index"], ["value"])],
        [tensor("index", INT64, [1])],
        [tensor("value", FP32, [1])],
        [constant("values", FP32, [4], [10.0, 20.0, 30.0, 40.0])],
    )
    save(
        "sequence_output",
        [node("SequenceConstruct", ["INPUT0", "INPUT0"], ["OUTPUT0"])],
        [tensor("INPUT0", FP32, ["n"])],
        [helper.make_tensor_sequence_value_info("OUTPUT0", FP32, ["n"])],
    )
    write("broken/1/model.onnx", bytes((i * 151 + 77) % 256 for i in range(256)))
    write("empty/1/model.onnx", b"")


def slow(size=256):
    """Each turn averages the columns of a size*size matrix of ones, so the answer is 1.0 after any number of turns."""
    body = helper.make_graph(
        [
            node("Identity", ["keep_going"], ["keep_going_out"]),
            node("MatMul", ["state", "mean"], ["state_out"]),
        ],
        "turn",
        [
            tensor("turn", INT64, []),
            tensor("keep_going", TensorProto.BOOL, []),
            tensor("state", FP32, [size, size]),
        ],
        [tensor("keep_going_out", TensorProto.BOOL, []), tensor("state_out", FP32, [size, size])],
    )
    save(
        "slow",
        [
            node("ConstantOfShape", ["size"], ["ones"], value=constant("one", FP32, [1], [1.0])),
            node("Div", ["ones", "width"], ["mean"]),
            node("Squeeze", ["iterations"], ["turns"]),
            node("Loop", ["turns", "", "ones"], ["last"], body=body),
            node("ReduceMean", ["last"], ["average"], keepdims=0),
            node("Reshape", ["average", "one_element"], ["result"]),
        ],
        [tensor("iterations", INT64, [1])],
        [tensor("result", FP32, [1])],
        [
            constant("size", INT64, [2], [size, size]),
            constant("width", FP32, [1], [float(size)]),
            constant("one_element", INT64, [1], [1]),
        ],
    )


if __name__ == "__main__":
    identities()
    arithmetic()
    shapes_and_types()
    troublesome()
    slow()
