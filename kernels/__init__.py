"""C++ CPU kernels and their Python seam; knows arrays, nothing of models.

Layout of packed weights and arithmetic of the products: `csrc/packing/layout.h`
and `csrc/kernels.h`; `reference.py` holds the NumPy truth they are tested against.
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
