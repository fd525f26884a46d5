// Matrix products of dense rows: bit for bit the scalar twin's, whatever the number of rows, and near float64.
#include <algorithm>

#include "packing/gguf_blocks.h"
#include "matrices.h"

namespace midline::test {
namespace {

struct Case {
  int inputs;
  std::vector<uint8_t> types;
  int rows, panels, items;

  std::string name(const Kernels& k) const {
    std::string s = std::string(k.name) + ", types";
    for (int t : types) s.append(" ").append(std::to_string(t));
    return s + ", " + std::to_string(inputs) + " inputs, " + std::to_string(rows) + " rows, " + std::to_string(items) +
           " items";
  }
};

std::vector<float> whole_gemm(const Kernels& k, const Packed& p, const Batch& in, const std::string& what) {
  const int n = p.m.outputs(), ldc = n + 5;
  Guarded<float> c(static_cast<size_t>(in.rows - 1) * ldc + n);
  Guarded<uint8_t> scratch(gemm_scratch_bytes());
  std::vector<float> y;
  for (int u = 0, count; u < p.m.units; u += count) {
    count = std::min(gemm_units(in.rows), p.m.units - u);
    scratch.poison(), k.gemm(p.m, u, count, in.all(), {}, c.data() + u * kUnit, ldc, scratch.data());
  }
  for (int r = 0; r < in.rows; r++) {
    const float* row = c.data() + static_cast<size_t>(r) * ldc;
    y.insert(y.end(), row, row + n);
    expect(r + 1 == in.rows || c.poisoned(r * ldc + n, (r + 1) * ldc), "gemm writes its own outputs only, " + what);
  }
  return y;
}

// Folded K-quants differ from the exact ones by the rounding to 8 bits, a small part of the outputs' size.
void check_folded(const float* exact, const float* folded, size_t n, const std::string& what) {
  double error = 0.0, size = 0.0;
  for (size_t o = 0; o < n; o++) error += std::pow(exact[o] - folded[o], 2), size += std::pow(exact[o], 2);
  expect(error <= 4e-4 * size, "folded gemm near the exact one, " + what);
}

bool folded(const Kernels& k, const Packed& p, const Batch& in) {
  return k.folds && in.rows > kExactRows && p.m.needs_q256;
}

// The scalar kernels fold many rows; where `k` does not, its twin is their product of one row, row after row.
std::vector<float> scalar_twin(const Kernels& k, const Packed& p, const Batch& in, const std::string& what) {
  if (folded(k, p, in) == folded(scalar_kernels(), p, in)) return whole_gemm(scalar_kernels(), p, in, what);
  std::vector<float> y;
  for (int r = 0; r < in.rows; r++) {
    const std::vector<float> row = whole_gemv(scalar_kernels(), p.m, every_channel(in, r).row());
    y.insert(y.end(), row.begin(), row.end());
  }
  return y;
}

void check_rows(const Kernels& k, const Packed& p, const Batch& in, const std::string& what) {
  const size_t n = p.m.outputs();
  const std::vector<float> y = whole_gemm(k, p, in, what), twin = scalar_twin(k, p, in, what);
  expect(same_bits(y.data(), twin.data(), y.size()), "gemm = scalar twin, " + what);
  for (int r = 0; r < in.rows; r++) {
    const std::vector<float> one = whole_gemv(k, p.m, every_channel(in, r).row());
    if (folded(k, p, in)) check_folded(one.data(), y.data() + r * n, n, what);
    else expect(same_bits(one.data(), y.data() + r * n, n), "gemv = gemm, row " + std::to_string(r) + ", " + what);
    for (size_t o = n - kUnit + kLastRows; o < n; o++)
      expect(y[r * n + o] == 0.0f, "outputs that fill up a unit are 0, " + what);
  }
}

void check(const Kernels& k, const Case& c) {
  const Packed p(c.inputs, c.types, c.panels, c.items);
  check_rows(k, p, Batch(p.m, c.rows, normals(static_cast<size_t>(c.rows) * c.inputs)), c.name(k));
}

// The largest sums there are: every code 0 or the largest, every activation plus or minus 127.
void check_extremes(const Kernels& k, int type) {
  const int inputs = 256;
  std::vector<float> x(3 * inputs);
  for (int i = 0; i < inputs; i++) x[i] = 1.0f, x[inputs + i] = -1.0f, x[2 * inputs + i] = i % 2 ? -1.0f : 1.0f;
  for (int byte : {0xff, 0x00, 0x7f}) {
    const Packed p(inputs, {static_cast<uint8_t>(type)}, 1, 1, byte);
    check_rows(k, p, Batch(p.m, 3, x), std::string(k.name) + ", extremes of type " + std::to_string(type));
  }
}

double activation(const Batch& in, int type, int row, int i) {
  const size_t at = static_cast<size_t>(row) * in.stride + i;
  return is_float(type)
             ? in.x[at]
             : static_cast<double>(is_k_quant(type) ? in.scale256[at / 256] : in.scale32[at / 32]) * in.q[at];
}

// Against the GGUF rows themselves, so that packing is part of what is tested. A weight may be off by `steps` 127ths of
// the largest weight of its output and superblock; beyond that only rounding of sums is allowed. Returns the mean
// square of the products' errors, in such steps times the length of the activations.
double check_truth(const Kernels& k, const Case& c, double steps = 0.0) {
  const Packed p(c.inputs, c.types, c.panels, c.items);
  const Batch in(p.m, c.rows, normals(static_cast<size_t>(c.rows) * c.inputs));
  const std::vector<float> y = whole_gemm(k, p, in, c.name(k));
  std::vector<float> w(c.inputs), step(p.m.superblocks());
  const int outputs = (p.m.units - 1) * kUnit + kLastRows;
  double spread = 0.0;
  for (int o = 0; o < outputs; o++) {
    const int type = c.types[o / kUnit];
    row_weights(type, p.source[o / kUnit].data() + o % kUnit * row_bytes(type, c.inputs), c.inputs, w.data());
    std::fill(step.begin(), step.end(), 0.0f);
    for (int i = 0; i < c.inputs; i++) step[i / kSuper] = std::max(step[i / kSuper], std::fabs(w[i]) / 127.0f);
    for (int r = 0; r < c.rows; r++) {
      double truth = 0.0, allowed = 0.0, length = 0.0;
      for (int i = 0; i < c.inputs; i++) {
        const double x = activation(in, type, r, i), s = step[i / kSuper];
        truth += w[i] * x, length += s * x * s * x, allowed += std::fabs(x) * (2e-6 * std::fabs(w[i]) + steps * s);
      }
      const double error = y[static_cast<size_t>(r) * p.m.outputs() + o] - truth;
      expect(std::fabs(error) <= allowed, "gemm near float64, " + c.name(k));
      spread += length > 0.0 ? error * error / length : 0.0;
    }
  }
  return spread / outputs / c.rows;
}

// Products of many rows use K-quants requantized to 8 bits: weights are off by at most half a step (0.29 on average),
// and a little more by the rounding of gains and offsets.
void check_folded(const Kernels& k, const Case& c) {
  const double spread = check_truth(k, c, 0.75);
  expect(spread <= 0.4 * 0.4,
         "folded weights are off by a third of a step, not " + std::to_string(std::sqrt(spread)) + ", " + c.name(k));
}

}  // namespace

void test_products(const Kernels& k) {
  for (int type : {F16, F32, Q4_0, Q4_1, Q5_0, Q8_0, Q4_K, Q6_K}) {
    const auto t = static_cast<uint8_t>(type);
    for (int inputs : is_k_quant(type) ? std::vector<int>{256, 768} : std::vector<int>{32, 64, 256, 288, 896})
      for (int rows : {1, 3}) check(k, {inputs, {t, t, t}, rows, 2, 1});
    const int inputs = is_k_quant(type) ? 512 : 288;
    for (int rows : {2, 4, 5, 7, kExactRows}) check(k, {inputs, {t, t}, rows, 1, 3});
    check_truth(k, {inputs, {t, t}, 2, 2, 1});
    if (!is_float(type)) check_extremes(k, type);
    const int block = is_k_quant(type) ? kSuper : kGroup;
    if (is_k_quant(type) && k.folds)
      check_folded(k, {inputs, {t}, kExactRows + 2, 1, 2}), check_folded(k, {block, {t}, kGemmRows, 1, 1});
    else check(k, {2 * block, {t}, kExactRows + 1, 1, 2}), check(k, {block, {t}, kGemmRows, 1, 1});
  }
  check(k, {512, {Q4_K, Q4_K, Q6_K}, 4, 1, 2});
  check(k, {896, {Q5_0, Q5_0, Q8_0}, 7, 1, 4});
  check(k, {160, {Q8_0, Q4_1, Q5_0, Q4_0, Q8_0}, 3, 1, 1});
  check(k, {288, {F16, Q8_0, F32, Q5_0}, 3, 2, 2});
  check_truth(k, {768, {Q6_K, Q4_K, Q6_K}, 3, 1, 3});
  check_truth(k, {352, {Q8_0, F16, Q4_1, Q4_0}, 3, 2, 2});
}

}  // namespace midline::test
