"""The files of an exported model's folder."""

GRAPH = "model.onnx"
CONFIG = "midline.json"
TOKENIZER = "tokenizer.gguf"
