// Thresholds and survivor lists, against the scalar twin bit for bit and against the plain meaning.
#include <algorithm>

#include "check.h"

namespace midline::test {
namespace {

struct Lists {
  Guarded<int8_t> q;
  Guarded<uint16_t> index;
  Guarded<int> start, middle, sum32, sum16;
  Guarded<float> scale, x;

  Lists(const Kernels& k, const Guarded<float>& in, const Guarded<float>& threshold, int block, bool halves)
      : q(in.size() + kListSlack),
        index(q.size()),
        start(in.size() / 32 + 1),
        middle(in.size() / 32),
        sum32(in.size() / 32),
        sum16(in.size() / 16),
        scale((in.size() + block - 1) / block),
        x(in.size()) {
    k.sparsify(
        in.data(), threshold.data(), static_cast<int>(in.size()), block, halves,
        {q.data(), index.data(), start.data(), middle.data(), scale.data(), sum32.data(), sum16.data(), x.data()});
  }
  size_t size() const { return static_cast<size_t>(start[start.size() - 1]); }
};

template <class T> bool same(const Guarded<T>& a, const Guarded<T>& b, size_t n) {
  return std::equal(a.data(), a.data() + n, b.data());
}

// The lists hold the codes that quantize gives the row without its small channels, in order, padded with zeros.
bool means(const Kernels& k, const Lists& found, const Guarded<float>& in, const Guarded<float>& threshold, int block,
           bool halves) {
  const int n = static_cast<int>(in.size());
  Guarded<float> x(in.size()), scale(found.scale.size());
  Guarded<int8_t> q(in.size());
  Guarded<int> sum32(n / 32), sum16(n / 16);
  for (int i = 0; i < n; i++) x[i] = std::fabs(in[i]) <= threshold[i] ? 0.0f : in[i];
  k.quantize(x.data(), n, block, q.data(), scale.data(), sum32.data(), sum16.data());
  bool ok = same_bits(x.data(), found.x.data(), n) && same_bits(scale.data(), found.scale.data(), scale.size()) &&
            same(sum32, found.sum32, sum32.size()) && same(sum16, found.sum16, sum16.size());
  for (int g = 0; g < n / 32; g++) {
    int at = found.start[g];
    for (int c = 32 * g; c < 32 * g + 32; c++) {
      if (c == 32 * g + 16) {
        while (halves && at % 4) ok = ok && found.q[at++] == 0;
        ok = ok && (!halves || at == found.middle[g]);
      }
      if (q[c]) ok = ok && found.q[at] == q[c] && found.index[at] == c % 256, at++;
    }
    while (at % 4) ok = ok && found.q[at] == 0 && found.index[at] == found.index[at - 1], at++;
    ok = ok && at == found.start[g + 1];
  }
  return ok;
}

void check(const Kernels& k, int n, float level, int block, bool halves) {
  const Guarded<float> x(normals(n));
  Guarded<float> threshold(n);
  for (int i = 0; i < n; i++) threshold[i] = level * (0.5f + static_cast<float>(rng() % 1000) / 1000.0f);
  const Lists mine(k, x, threshold, block, halves), twin(scalar_kernels(), x, threshold, block, halves);
  const std::string what = std::string(k.name) + ", " + std::to_string(n) + " channels above " + std::to_string(level) +
                           ", block " + std::to_string(block);
  expect(means(k, mine, x, threshold, block, halves), "survivors are those above the threshold, " + what);
  expect(mine.size() == twin.size() && same(mine.start, twin.start, mine.start.size()) &&
             same(mine.middle, twin.middle, mine.middle.size()) && same(mine.q, twin.q, mine.size()) &&
             same(mine.index, twin.index, mine.size()),
         "sparsify = scalar twin, " + what);
  Guarded<float> y(n);
  k.drop_small(x.data(), threshold.data(), n, y.data());
  expect(same_bits(y.data(), mine.x.data(), n), "drop_small = sparsify's row, " + what);
}

void check_nan(const Kernels& k) {
  Guarded<float> x(32), threshold(32), y(32);
  for (int i = 0; i < 32; i++) x[i] = i == 5 ? NAN : -1.0f, threshold[i] = i % 2 ? 1.0f : 0.5f;
  k.drop_small(x.data(), threshold.data(), 32, y.data());
  for (int i = 0; i < 32; i++)
    expect(i == 5 ? std::isnan(y[i]) : y[i] == (i % 2 ? 0.0f : -1.0f),
           std::string(k.name) + " drops what equals the threshold and keeps NaN");
}

}  // namespace

void test_threshold(const Kernels& k) {
  for (int n : {32, 96, 256, 288, 896, 4864})
    for (float level : {0.0f, 0.3f, 1.0f, 1e9f})
      for (bool halves : {false, true}) check(k, n, level, 32, halves), check(k, n, level, 256, halves);
  check_nan(k);
}

}  // namespace midline::test
