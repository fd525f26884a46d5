"""The ONNX engine: a GGUF model exported to ONNX and run by ONNX Runtime (extra `onnx`)."""
