// Kernels for any CPU: the reference that the vector kernels are tested against, and the fallback.
#include "scalar/primitives.h"
#include "scalar/products.h"

namespace midline {
namespace scalar {
namespace {
#include "simd/elementwise.inc"
#include "simd/teal.inc"
#include "simd/attention.inc"
}  // namespace
}  // namespace scalar

const Kernels& scalar_kernels() {
  using namespace scalar;
  static const Kernels table{"scalar", kFolds, gemv,   gemm, quantize, drop_small, sparsify, rms_norm,
                             add,      swiglu, attend, join, screen,   sum_exp,    peak,     dot_chains};
  return table;
}
}  // namespace midline
