// Sparse one-row products: a list of surviving channels gives, bit for bit, the dense product of a row in which the
// dropped channels are zero.
#include <algorithm>

#include "matrices.h"

namespace midline::test {
namespace {

// Channels kept at random, with whole quads, groups and superblocks left out.
std::vector<bool> random_mask(int inputs, double density) {
  std::vector<bool> keep(inputs);
  for (int c = 0; c < inputs; c++) keep[c] = rng() < density * 4294967295.0;
  for (int size : {4, 16, 32, 256}) {
    const int first = static_cast<int>(rng() % static_cast<unsigned>(inputs)) / size * size;
    std::fill(keep.begin() + first, keep.begin() + std::min(first + size, inputs), false);
  }
  return keep;
}

void check_mask(const Kernels& k, const Packed& p, const Batch& in, const std::vector<bool>& keep, bool halves,
                const std::string& what) {
  Batch zeroed(p.m, 1, std::vector<float>(in.x.data(), in.x.data() + in.inputs));
  for (int c = 0; c < in.inputs; c++)
    if (!keep[c]) {
      zeroed.sum32[c / 32] -= zeroed.q[c], zeroed.sum16[c / 16] -= zeroed.q[c];
      zeroed.q[c] = 0, zeroed.x[c] = 0.0f;
    }
  const std::vector<float> sparse = whole_gemv(k, p.m, survivors(in, 0, keep, halves).row());
  const std::vector<float> dense = whole_gemv(k, p.m, every_channel(zeroed, 0).row());
  const std::vector<float> twin = whole_gemv(scalar_kernels(), p.m, every_channel(zeroed, 0).row());
  expect(same_bits(sparse.data(), dense.data(), dense.size()), "survivors = dense with zeros, " + what);
  expect(same_bits(sparse.data(), twin.data(), twin.size()), "survivors = scalar twin, " + what);
}

void check(const Kernels& k, int inputs, const std::vector<uint8_t>& types, int panels, int items) {
  const bool q6k = std::find(types.begin(), types.end(), Q6_K) != types.end();
  const Packed p(inputs, types, panels, items);
  const std::string what =
      std::string(k.name) + ", type " + std::to_string(types[0]) + ", " + std::to_string(inputs) + " inputs";
  const Batch in(p.m, 1, normals(inputs));
  std::vector<bool> last_only(inputs), all_but_last(inputs, true);
  last_only.back() = true, all_but_last.back() = false;
  for (bool halves : q6k ? std::vector<bool>{true} : std::vector<bool>{true, false}) {
    for (double density : {0.02, 0.4, 0.9}) check_mask(k, p, in, random_mask(inputs, density), halves, what);
    check_mask(k, p, in, std::vector<bool>(inputs), halves, what + ", none survives");
    check_mask(k, p, in, last_only, halves, what + ", one survives");
    check_mask(k, p, in, all_but_last, halves, what + ", one dropped");
  }
}

}  // namespace

void test_survivors(const Kernels& k) {
  for (int type : {F16, F32, Q4_0, Q4_1, Q5_0, Q8_0, Q4_K, Q6_K}) {
    const auto t = static_cast<uint8_t>(type);
    for (int inputs : is_k_quant(type) ? std::vector<int>{256, 1024} : std::vector<int>{32, 288, 896})
      check(k, inputs, {t, t}, 2, 4);
  }
  check(k, 768, {Q4_K, Q4_K, Q6_K}, 1, 4);
  check(k, 896, {Q5_0, Q5_0, Q8_0}, 1, 4);
  check(k, 576, {Q4_1, Q4_0, Q8_0, Q5_0}, 1, 2);
}

}  // namespace midline::test
