// Apple M1, Cortex-A55/A75 (2018) to Cortex-X1 (2020), Graviton 2: the 8-bit dot product, no I8MM.
#include "arm/neon.inc"

const Kernels* neon_kernels() {
  using namespace neon;
  static const Kernels table{"neon", kFolds, gemv,   gemm, quantize, drop_small, sparsify, rms_norm,
                             add,    swiglu, attend, join, screen,   sum_exp,    peak,     dot_chains};
  return &table;
}
}  // namespace midline
