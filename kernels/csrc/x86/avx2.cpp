// Haswell to Coffee Lake (2013-2019), Zen 1 to Zen 3 (2017-2021).
#include "x86/avx2.inc"

const Kernels* avx2_kernels() {
  using namespace avx2;
  static const Kernels table{"avx2", kFolds, gemv,   gemm, quantize, drop_small, sparsify, rms_norm,
                             add,    swiglu, attend, join, screen,   sum_exp,    peak,     dot_chains};
  return &table;
}
}  // namespace midline
