// Apple M1 and later, Cortex-A55/A75 (2018) and later, Snapdragon X, Graviton 2 and later.
#include "simd/neon.h"

#include "kernels.h"
#include "packing/screen.h"

namespace midline {
namespace neon {
namespace {
#include "simd/unpack.inc"
#include "simd/stream.inc"
#include "simd/gemv_scale.inc"
#include "simd/gemv_dot.inc"
#include "simd/gemv.inc"
#include "simd/tile.inc"
#include "simd/rows.inc"
#include "simd/gemm.inc"
#include "simd/fold.inc"
#include "simd/gemm_unit.inc"
#include "simd/elementwise.inc"
#include "simd/teal.inc"
#include "simd/attention.inc"
#include "simd/screen.inc"
#include "simd/dots.inc"
}  // namespace
}  // namespace neon

const Kernels* neon_kernels() {
  using namespace neon;
  static const Kernels table{"neon", kFolds, gemv,   gemm, quantize, drop_small, sparsify, rms_norm,
                             add,    swiglu, attend, join, screen,   sum_exp,    peak,     dot_chains};
  return &table;
}
}  // namespace midline
