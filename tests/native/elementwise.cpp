// Quantization, norms, SwiGLU and exponential sums, against the scalar twin and float64.
#include <algorithm>

#include "check.h"

namespace midline::test {
namespace {

void check_norm(const Kernels& k, int n) {
  const Guarded<float> x(normals(n)), w(normals(n));
  Guarded<float> y(n);
  k.rms_norm(x.data(), w.data(), n, 0.25f, y.data());
  double squares = 0.0;
  for (int i = 0; i < n; i++) squares += static_cast<double>(x[i]) * x[i];
  for (int i = 0; i < n; i++) {
    const double truth = x[i] / std::sqrt(squares / n + 0.25) * w[i];
    expect(std::fabs(y[i] - truth) <= 3e-6 * std::fabs(truth), std::string(k.name) + " rms_norm near float64");
  }
}

void check_sums(const Kernels& k, int n) {
  const Guarded<float> x(normals(n)), w(normals(n));
  Guarded<float> y(n), z(w.size());
  std::copy_n(w.data(), n, z.data());
  k.add(z.data(), x.data(), n);
  for (int i = 0; i < n; i++) expect(z[i] == w[i] + x[i], std::string(k.name) + " add");
  k.swiglu(x.data(), w.data(), n, y.data());
  for (int i = 0; i < n; i++) {
    const double truth = x[i] / (1.0 + std::exp(-static_cast<double>(x[i]))) * w[i];
    expect(std::fabs(y[i] - truth) <= 1e-6 * std::fabs(truth), std::string(k.name) + " swiglu near float64");
  }
}

void check_swiglu_tails(const Kernels& k) {
  Guarded<float> gate(32), up(32), y(32);
  for (int i = 0; i < 32; i++) gate[i] = (i % 2 ? 1.0f : -1.0f) * std::ldexp(1.0f, i / 2), up[i] = 1.0f;  // up to 2^15
  k.swiglu(gate.data(), up.data(), 32, y.data());
  for (int i = 0; i < 32; i++) {
    const double truth = gate[i] / (1.0 + std::exp(-static_cast<double>(gate[i])));
    expect(std::fabs(y[i] - truth) <= 1e-6 * std::fabs(truth) + 1e-30, std::string(k.name) + " swiglu far from zero");
  }
}

void check_sum_exp(const Kernels& k, int n) {
  const Guarded<float> x(normals(n));
  const float max = *std::max_element(x.data(), x.data() + n);
  double truth = 0.0;
  for (int i = 0; i < n; i++) truth += std::exp(static_cast<double>(x[i]) - max);
  expect(std::fabs(k.sum_exp(x.data(), n, max) - truth) <= 1e-6 * truth,
         std::string(k.name) + " sum_exp near float64, " + std::to_string(n));
}

void check_peak(const Kernels& k, int n) {
  const Guarded<float> clean(normals(n));
  Guarded<float> x(n), nothing(n);  // nothing: NaN throughout
  const float most = *std::max_element(clean.data(), clean.data() + n);
  for (int i = 0; i < n; i++) x[i] = clean[i] < most && rng() % 3 == 0 ? NAN : clean[i];
  const std::string what = std::string(k.name) + ", " + std::to_string(n) + " values";
  expect(k.peak(clean.data(), n) == most, "peak, " + what);
  expect(k.peak(x.data(), n) == most, "peak leaves NaN out, " + what);
  expect(k.peak(nothing.data(), n) == -INFINITY, "peak of nothing, " + what);
}

struct Quantized {
  Guarded<int8_t> q;
  Guarded<float> scale;
  Guarded<int> sum32, sum16;

  Quantized(const Kernels& k, const Guarded<float>& x, int block)
      : q(x.size()), scale((x.size() + block - 1) / block), sum32(x.size() / 32), sum16(x.size() / 16) {
    k.quantize(x.data(), static_cast<int>(x.size()), block, q.data(), scale.data(), sum32.data(), sum16.data());
  }
};

void check_quantize(const Kernels& k, const Guarded<float>& x, int block, const std::string& what) {
  const Quantized mine(k, x, block), twin(scalar_kernels(), x, block);
  bool same = same_bits(mine.scale.data(), twin.scale.data(), mine.scale.size());
  std::vector<int> sum32(mine.sum32.size()), sum16(mine.sum16.size());
  for (size_t i = 0; i < x.size(); i++) {
    same = same && mine.q[i] == twin.q[i];
    sum32[i / 32] += mine.q[i], sum16[i / 16] += mine.q[i];
    const float scale = mine.scale[i / block];
    expect(std::fabs(static_cast<double>(scale) * mine.q[i] - x[i]) <= 0.5001 * scale,
           "quantize rounds to the nearest, " + what);
  }
  expect(same, "quantize = scalar twin, " + what);
  expect(std::equal(sum32.begin(), sum32.end(), mine.sum32.data()) &&
             std::equal(sum16.begin(), sum16.end(), mine.sum16.data()),
         "quantize's sums are those of its codes, " + what);
}

void check_quantize(const Kernels& k, int n) {
  for (int block : {32, 256}) {
    const std::string what =
        std::string(k.name) + ", block " + std::to_string(block) + ", " + std::to_string(n) + " values";
    check_quantize(k, Guarded<float>(normals(n)), block, what);
    check_quantize(k, Guarded<float>(std::vector<float>(n)), block, what + ", all zero");
    std::vector<float> ties(n);
    for (int i = 0; i < n; i++) ties[i] = static_cast<float>(i % 32 ? i % 32 * 7 % 254 - 127 : 254) / 2.0f;  // scale 1
    check_quantize(k, Guarded<float>(ties), block, what + ", halves");
    const Quantized rounded(k, Guarded<float>(ties), block);
    for (int i = 0; i < n; i++)
      expect(rounded.q[i] == static_cast<int>(std::nearbyint(ties[i])), "quantize rounds halves to even, " + what);
  }
}

}  // namespace

void test_elementwise(const Kernels& k) {
  for (int n : {32, 96, 256, 288, 896, 4864}) check_norm(k, n), check_sums(k, n), check_quantize(k, n);
  check_swiglu_tails(k);
  for (int n : {1, 5, 16, 33, 1003, 49152}) check_sum_exp(k, n), check_peak(k, n);
}

}  // namespace midline::test
