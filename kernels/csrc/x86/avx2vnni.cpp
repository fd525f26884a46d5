// Alder Lake to Arrow Lake (2021-): no AVX-512, but an 8-bit dot product on 256 bits.
#define MIDLINE_AVXVNNI
#include "x86/avx2.inc"

const Kernels* avx2vnni_kernels() {
  using namespace avx2vnni;
  static const Kernels table{"avx2vnni", kFolds, gemv,   gemm, quantize, drop_small, sparsify, rms_norm,
                             add,        swiglu, attend, join, screen,   sum_exp,    peak,     dot_chains};
  return &table;
}
}  // namespace midline
