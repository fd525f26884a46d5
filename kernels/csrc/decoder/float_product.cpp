// Dequantizes one superblock at a time; vectorized by the compiler only, and tens of times slower than the kernels.
#include "decoder/float_product.h"

#include <algorithm>
#include <vector>

#include "packing/pack.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define MIDLINE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MIDLINE_CLONES
#endif

namespace midline {
namespace {

constexpr int kRows = 4;  // rows whose sums fit into the first-level cache

// sum[row][128] += x[row][c] * w[c][128], in the order of the channels: a row's sum does not depend on the number of
// rows.
MIDLINE_CLONES void accumulate(const float* w, int channels, const float* x, int stride, int rows, double* sum) {
  for (int c = 0; c < channels; c++)
    for (int r = 0; r < rows; r++) {
      const double v = x[static_cast<ptrdiff_t>(r) * stride + c];
      for (int o = 0; o < kUnit; o++) sum[r * kUnit + o] += v * static_cast<double>(w[c * kUnit + o]);
    }
}

}  // namespace

void float_product(const Matrix& m, int unit, const float* x, int rows, int stride, float* y, size_t ldy) {
  std::vector<float> w(static_cast<size_t>(kSuper) * kUnit);
  std::vector<double> sum(static_cast<size_t>(rows) * kUnit);
  for (int sb = 0; sb < m.superblocks(); sb++) {
    unpack_weights(m, unit, sb, w.data());
    for (int r = 0; r < rows; r += kRows)
      accumulate(w.data(), m.channels(sb), x + static_cast<size_t>(r) * stride + sb * kSuper, stride,
                 std::min(kRows, rows - r), sum.data() + static_cast<size_t>(r) * kUnit);
  }
  for (int r = 0; r < rows; r++)
    for (int o = 0; o < kUnit; o++) y[r * ldy + o] = static_cast<float>(sum[static_cast<size_t>(r) * kUnit + o]);
}

}  // namespace midline
