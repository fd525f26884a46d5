#include "measurement/product_timer.h"

#include <algorithm>
#include <chrono>

#include "decoder/product_plan.h"

namespace midline {
namespace {

struct Product {
  const Matrix* m;
  const float* threshold;
};

std::array<Product, 4> products(const Layer& l, const LayerThresholds& t) {
  return {{{&l.qkv, t.qkv}, {&l.out, t.out}, {&l.gate_up, t.gate_up}, {&l.down, t.down}}};
}

struct Worker {
  const Kernels& k;
  const DensePattern& dense;
  const int tid, threads;
  RowBuffer in;
  std::vector<float> out, blk;

  void run(const Product& p, const float* x, const Matrix* after) {
    const Matrix& m = *p.m;
    if (p.threshold) in.sparsify(k, m, p.threshold, x, 0, m.inputs);
    else in.quantize(k, m, x, 0, m.inputs, 0);
    const Activations a = p.threshold ? in.survivors() : in.row(0, dense);
    const Range items = share(m.items(), tid, threads);
    for (int i = items.begin; i < items.end; i++) {
      const Upcoming next = i + 1 < items.end ? item(m, i + 1)
                            : after           ? item(*after, share(after->items(), tid, threads).begin)
                                              : Upcoming{};
      k.gemv(m, i / m.chunk_count(), i % m.chunk_count(), a, next, out.data(), blk.data());
    }
  }
};

}  // namespace

std::array<double, 4> time_products(Decoder& d, const std::array<const float*, 4>& inputs, const Thresholds* thresholds,
                                    int rounds) {
  using Clock = std::chrono::steady_clock;
  const std::vector<Layer>& layers = d.weights.layers;
  size_t panel = kUnit;
  int longest = 0;
  for (const Layer& l : layers)
    for (const Product& p : products(l, {})) {
      longest = std::max(longest, p.m->superblocks() * kSuper);
      for (const Panel& part : p.m->panels) panel = std::max(panel, static_cast<size_t>(part.units) * kUnit);
    }
  const DensePattern dense(longest);
  std::array<double, 4> seconds{};
  d.pool().run([&](int tid) {
    Worker w{kernels(), dense, tid, d.config.threads, {}, std::vector<float>(panel), std::vector<float>(panel)};
    w.in.reserve(1, longest, true);
    for (int n = 0; n < rounds * static_cast<int>(layers.size()); n++) {
      const size_t i = n % layers.size();
      const auto all = products(layers[i], thresholds ? (*thresholds)[i] : LayerThresholds{});
      for (size_t j = 0; j < 4; j++) {
        d.pool().barrier();
        const auto start = Clock::now();
        w.run(all[j], inputs[j], j < 3 ? all[j + 1].m : nullptr);
        d.pool().barrier();
        if (tid == 0) seconds[j] += std::chrono::duration<double>(Clock::now() - start).count() / rounds;
      }
    }
  });
  return seconds;
}

}  // namespace midline
