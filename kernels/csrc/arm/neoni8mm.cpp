// Cortex-A510/A710 (2021) and later, Snapdragon X, Graviton 3 and later: matrix products of bytes (I8MM).
#define MIDLINE_I8MM
#include "arm/neon.inc"

const Kernels* neoni8mm_kernels() {
  using namespace neoni8mm;
  static const Kernels table{"neoni8mm", kFolds, gemv,   gemm, quantize, drop_small, sparsify, rms_norm,
                             add,        swiglu, attend, join, screen,   sum_exp,    peak,     dot_chains};
  return &table;
}
}  // namespace midline
