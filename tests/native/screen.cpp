// The low-bit screen: bit for bit the scalar twin's, and exact for weights that two bits can say.
#include "packing/screen.h"

#include "check.h"

namespace midline::test {
namespace {

struct Query {
  Guarded<int8_t> q;
  Guarded<float> scale;
  Guarded<int> sum64;

  explicit Query(int inputs) : q(inputs), scale(inputs / kScreenGroup), sum64(inputs / kScreenGroup) {
    for (size_t g = 0; g < scale.size(); g++) scale[g] = 0.01f * std::fabs(normal()), sum64[g] = 0;
    for (int i = 0; i < inputs; i++)
      q[i] = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127), sum64[i / kScreenGroup] += q[i];
  }
};

std::vector<float> screened(const Kernels& k, const std::vector<float>& w, const Query& x, int rows, int inputs) {
  Guarded<uint8_t> unit(screen_unit_bytes(inputs));
  pack_screen(w.data(), rows, inputs, unit.data());
  Guarded<float> y(kUnit);
  k.screen(unit.data(), x.q.data(), x.scale.data(), x.sum64.data(), inputs, y.data());
  return {y.data(), y.data() + kUnit};
}

void check_twin(const Kernels& k, int inputs) {
  const std::vector<float> w = normals(static_cast<size_t>(kUnit) * inputs);
  const Query x(inputs);
  const std::vector<float> y = screened(k, w, x, kUnit, inputs), twin = screened(scalar_kernels(), w, x, kUnit, inputs);
  expect(same_bits(y.data(), twin.data(), kUnit),
         std::string(k.name) + " screen = scalar twin, " + std::to_string(inputs) + " inputs");
}

void check_exact(const Kernels& k, int inputs, int rows) {
  std::vector<float> w(static_cast<size_t>(rows) * inputs);
  for (size_t g = 0; g < w.size(); g += kScreenGroup) {
    const float step = static_cast<float>(1 + rng() % 100) / 1024.0f;  // exact in f16
    for (int i = 0; i < kScreenGroup; i++) w[g + i] = step * static_cast<float>(2 * ((rng() >> 8) % 4) - 3.0);
  }
  const Query x(inputs);
  const std::vector<float> y = screened(k, w, x, rows, inputs);
  for (int o = 0; o < kUnit; o++) {
    double truth = 0.0, size = 0.0;
    for (int i = 0; o < rows && i < inputs; i++) {
      const double term =
          static_cast<double>(w[static_cast<size_t>(o) * inputs + i]) * x.q[i] * x.scale[i / kScreenGroup];
      truth += term, size += std::fabs(term);
    }
    expect(std::fabs(y[o] - truth) <= 1e-6 * size,
           std::string(k.name) + " screen of weights that two bits can say, output " + std::to_string(o));
  }
}

}  // namespace

void test_screen(const Kernels& k) {
  for (int inputs : {64, 576, 896}) check_twin(k, inputs);
  check_exact(k, 896, kUnit);
  check_exact(k, 128, 77);
}

}  // namespace midline::test
