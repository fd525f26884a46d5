"""`midline-bench quality engines`: texts of the ONNX engine against the native engine's."""
