"""C++ CPU kernels and their Python bindings: arrays in, arrays out.

`csrc/packing/layout.h` documents the packed weight layout, `csrc/kernels.h` the arithmetic of the
products; `reference.py` is the NumPy reference that the tests compare them with.
"""

from midline.kernels._native import (
    LAYOUT_VERSION,
    MAX_ROWS,
    PAGE_TOKENS,
    UNIT,
    CancelFlag,
    Decoder,
    DecoderConfig,
    Layer,
    Matrix,
    Thresholds,
    add_column_squares,
    allocate,
    choose,
    dot_rate,
    huge_page_bytes,
    kernel_name,
    log_sum_exp,
    pack_screen,
    read_bandwidth,
    screen_bytes,
    sparsify,
    uniform,
)

__all__ = [
    "LAYOUT_VERSION",
    "MAX_ROWS",
    "PAGE_TOKENS",
    "UNIT",
    "CancelFlag",
    "Decoder",
    "DecoderConfig",
    "Layer",
    "Matrix",
    "Thresholds",
    "add_column_squares",
    "allocate",
    "choose",
    "dot_rate",
    "huge_page_bytes",
    "kernel_name",
    "log_sum_exp",
    "pack_screen",
    "read_bandwidth",
    "screen_bytes",
    "sparsify",
    "uniform",
]
