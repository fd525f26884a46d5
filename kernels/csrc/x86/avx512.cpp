// Ice Lake, Tiger Lake and Rocket Lake (2019-2021), Zen 4 and Zen 5 (2022-).
#include "simd/avx512.h"

#include "kernels.h"
#include "packing/screen.h"

namespace midline {
namespace avx512 {
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
}  // namespace avx512

const Kernels* avx512_kernels() {
  using namespace avx512;
  static const Kernels table{"avx512", kFolds, gemv,   gemm, quantize, drop_small, sparsify, rms_norm,
                             add,      swiglu, attend, join, screen,   sum_exp,    peak,     dot_chains};
  return &table;
}
}  // namespace midline
