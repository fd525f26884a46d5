"""The graph of a llama or qwen2 decoder in ONNX, with ONNX Runtime's fused operators.

Inputs: ids int64 [sequences, tokens]; lengths int32 [sequences], tokens of each sequence after the
step less one; longest int32, tokens of the longest one; rows int64 [n], the positions (counted over
all sequences) whose logits are wanted; past keys and values float32 [sequences, heads, capacity,
size] of each layer, which are extended in place. Output: logits float32 [n, vocabulary].
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from midline.model.engines.onnx.form import OnnxForm
from midline.model.engines.onnx.weights_file import NAME, WeightsPlan
from midline.model.weights.config import ModelConfig

OPSET, MICROSOFT = 21, "com.microsoft"
IR_VERSION = 10
BLOCK = 32
_TYPES = {"float32": TensorProto.FLOAT, "int8": TensorProto.INT8, "uint8": TensorProto.UINT8}
LAYER_PRODUCTS = {
    "qkv": ("attn_q", "attn_k", "attn_v"),
    "out": ("attn_output",),
    "gate": ("ffn_gate",),
    "up": ("ffn_up",),
    "down": ("ffn_down",),
}


@dataclass
class Graph:
    """A graph under construction; names of values are unique."""

    config: ModelConfig
    form: OnnxForm
    plan: WeightsPlan
    has_bias: bool
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    rounded: dict[str, tuple[str, str]] = field(default_factory=dict)

    def node(self, kind: str, inputs: list[str], outputs: list[str] | str, **more: Any) -> str:
        """Adds a node; the name of its first output."""
        names = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(kind, inputs, names, **more))
        return names[0]

    def constant(self, name: str, value: Any, kind: int) -> str:
        """Adds a small constant; its name."""
        array = np.asarray(value)
        tensor = helper.make_tensor(name, kind, array.shape, array.reshape(-1).tolist())
        self.constants.append(tensor)
        return name


def build_graph(config: ModelConfig, form: OnnxForm, plan: WeightsPlan, has_bias: bool) -> Any:
    """The ONNX model (a ModelProto) whose weights are those of `plan`."""
    g = Graph(config, form, plan, has_bias)
    for name, value, kind in [
        ("minus_one", [-1], TensorProto.INT64), ("least", 1e-12, TensorProto.FLOAT),
        ("most_code", 127.0, TensorProto.FLOAT), ("middle_float", 128.0, TensorProto.FLOAT),
        ("middle", 128, TensorProto.UINT8), ("width", [-1, config.width], TensorProto.INT64),
    ]:  # fmt: skip
        g.constant(name, value, kind)
    x = g.node("Gather", ["embedding", "ids"], "embedded")
    skip = x
    h = g.node("SimplifiedLayerNormalization", [x, "0.attn_norm"], "0.normed",
               axis=-1, epsilon=config.eps)  # fmt: skip
    for layer in range(config.layers):
        h, skip = _layer(g, layer, h, skip)
    flat = g.node("Reshape", [h, "width"], "flat")
    wanted = g.node("Gather", [flat, "rows"], "wanted")
    g.node("Identity", [_product(g, "head", ("output",), wanted)], "logits")
    return _model(g)


def _layer(g: Graph, i: int, h: str, skip: str) -> tuple[str, str]:
    """One layer: the normed input of the next one, and the sum that it is normed from."""
    c = g.config
    qkv = _product(g, f"{i}.qkv", LAYER_PRODUCTS["qkv"], h)
    if g.has_bias:
        qkv = g.node("Add", [qkv, f"{i}.qkv_bias"], f"{i}.qkv_biased")
    inputs = [qkv, "", "", f"past_key_{i}", f"past_value_{i}", "lengths", "longest", "cos", "sin"]
    outputs = [f"{i}.attended", f"key_{i}", f"value_{i}"]
    attended = g.node(
        "GroupQueryAttention", inputs, outputs, domain=MICROSOFT, num_heads=c.heads,
        kv_num_heads=c.kv_heads, do_rotary=1, rotary_interleaved=int(c.rope_interleaved),
    )  # fmt: skip
    out = _product(g, f"{i}.out", LAYER_PRODUCTS["out"], attended)
    h, skip = _norm(g, out, skip, f"{i}.ffn_norm")
    gate, up = (_product(g, f"{i}.{name}", LAYER_PRODUCTS[name], h) for name in ("gate", "up"))
    silu = g.node("QuickGelu", [gate], f"{i}.silu", domain=MICROSOFT, alpha=1.0)
    hidden = g.node("Mul", [silu, up], f"{i}.hidden")
    down = _product(g, f"{i}.down", LAYER_PRODUCTS["down"], hidden)
    is_last = i + 1 == c.layers
    return _norm(g, down, skip, "output_norm" if is_last else f"{i + 1}.attn_norm")


def _norm(g: Graph, x: str, skip: str, weight: str) -> tuple[str, str]:
    """RMSNorm of the sum of both, and the sum."""
    outputs = [f"{weight}.out", "", "", f"{weight}.sum"]
    g.node("SkipSimplifiedLayerNormalization", [x, skip, weight], outputs,
           domain=MICROSOFT, epsilon=g.config.eps)  # fmt: skip
    return outputs[0], outputs[3]


def _product(g: Graph, name: str, tensors: tuple[str, ...], x: str) -> str:
    """x times the matrix called `name`, in the storage of its tensors."""
    storage = g.form.storage_of(tensors)
    if storage == "float32":
        return g.node("MatMul", [x, name], f"{name}.product")
    if storage == "nbits":
        return _nbits(g, name, x)
    if g.form.activations == "dynamic-tensor":
        inputs = [x, name, f"{name}.scale"]
        return g.node("DynamicQuantizeMatMul", inputs, f"{name}.product", domain=MICROSOFT)
    codes, scale = _rounded_input(g, name, x)
    total = g.node("MatMulInteger", [codes, name, "middle"], f"{name}.integers")
    number = g.node("Cast", [total], f"{name}.number", to=TensorProto.FLOAT)
    scaled = g.node("Mul", [number, scale], f"{name}.scaled")
    return g.node("Mul", [scaled, f"{name}.scale"], f"{name}.product")


def _rounded_input(g: Graph, name: str, x: str) -> tuple[str, str]:
    """uint8 codes of x around 128, and their scale; made once for all products with x."""
    if x in g.rounded:
        return g.rounded[x]
    if g.form.activations == "static-tensor":
        key = name.replace(".gate", ".gate_up")
        scale = g.constant(f"{name}.input_scale", g.form.scales[key], TensorProto.FLOAT)
        codes = g.node("QuantizeLinear", [x, scale, "middle"], f"{name}.codes")
    else:
        size = g.node("Abs", [x], f"{name}.size")
        most = g.node("ReduceMax", [size, "minus_one"], f"{name}.most", keepdims=1)
        most = g.node("Max", [most, "least"], f"{name}.most_or_least")
        scale = g.node("Div", [most, "most_code"], f"{name}.input_scale")
        steps = g.node("Div", [x, scale], f"{name}.steps")
        whole = g.node("Round", [steps], f"{name}.whole")
        moved = g.node("Add", [whole, "middle_float"], f"{name}.moved")
        codes = g.node("Cast", [moved], f"{name}.codes", to=TensorProto.UINT8)
    g.rounded[x] = codes, scale
    return codes, scale


def _nbits(g: Graph, name: str, x: str) -> str:
    how = g.form.rounding
    assert how is not None
    outputs, blocks, _ = g.plan.tensors[name].shape
    inputs = [x, name, f"{name}.scale"] + ([] if how.symmetric else [f"{name}.zero"])
    return g.node(
        "MatMulNBits", inputs, f"{name}.product", domain=MICROSOFT, K=blocks * BLOCK, N=outputs,
        bits=how.bits, block_size=BLOCK, accuracy_level=1,
    )  # fmt: skip


def _model(g: Graph) -> Any:
    c = g.config
    value = helper.make_tensor_value_info
    past = ["sequences", c.kv_heads, "capacity", c.head_dim]
    inputs = [
        value("ids", TensorProto.INT64, ["sequences", "tokens"]),
        value("lengths", TensorProto.INT32, ["sequences"]),
        value("longest", TensorProto.INT32, []),
        value("rows", TensorProto.INT64, ["n"]),
    ]
    outputs = [value("logits", TensorProto.FLOAT, ["n", c.vocab])]
    for i in range(c.layers):
        for part in ("key", "value"):
            inputs.append(value(f"past_{part}_{i}", TensorProto.FLOAT, past))
            outputs.append(value(f"{part}_{i}", TensorProto.FLOAT, past))
    weights = [_external(planned) for planned in g.plan.tensors.values()]
    graph = helper.make_graph(g.nodes, c.architecture, inputs, outputs, [*g.constants, *weights])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="midline")
    model.ir_version = IR_VERSION
    return model


def _external(planned: Any) -> Any:
    tensor = TensorProto()
    tensor.name = planned.name
    tensor.data_type = _TYPES[planned.dtype.name]
    tensor.dims.extend(planned.shape)
    tensor.data_location = TensorProto.EXTERNAL
    where = {"location": NAME, "offset": planned.offset, "length": planned.nbytes}
    for key, text in where.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(text)
    return tensor
