// Attention to one block of keys and the joining of blocks, against float64.
#include <algorithm>
#include <limits>
#include <utility>

#include "packing/half.h"
#include "check.h"

namespace midline::test {
namespace {

constexpr uint16_t kHalfNan = 0x7e00;

// One block of `count` keys and values; pages hold NaN beyond them.
struct Block {
  int count, dim, pages;
  Guarded<uint16_t> keys, values;
  BlockPages where{};

  Block(int count, int dim)
      : count(count),
        dim(dim),
        pages((count + kPageTokens - 1) / kPageTokens),
        keys(static_cast<size_t>(pages) * kPageTokens * dim),
        values(keys.size()) {
    where.count = count;
    for (int p = 0; p < pages; p++) {
      const size_t at = static_cast<size_t>(p) * kPageTokens * dim;
      where.keys[p] = keys.data() + at, where.values[p] = values.data() + at;
      for (int t = 0; t < kPageTokens; t++)
        for (int d = 0; d < dim; d++) {
          const bool used = p * kPageTokens + t < count;
          keys[at + d * kPageTokens + t] = used ? float_to_half(normal()) : kHalfNan;
          values[at + t * dim + d] = used ? float_to_half(normal()) : kHalfNan;
        }
    }
  }
  AttentionBlock view(const BlockPages& next = {}) const { return {where, next, dim}; }
  double key(int t, int d) const {
    return half_to_float(keys[(t / kPageTokens * dim + d) * kPageTokens + t % kPageTokens]);
  }
  double value(int t, int d) const { return half_to_float(values[t * dim + d]); }
  double score(const float* q, int t) const {
    double s = 0.0;
    for (int d = 0; d < dim; d++) s += q[d] * key(t, d);
    return s;
  }
};

struct Part {
  std::vector<double> out;
  double max, sum;
};

Part truth(const Block& b, const float* q, int limit) {
  Part part{std::vector<double>(b.dim), -std::numeric_limits<double>::infinity(), 0.0};
  for (int t = 0; t < limit; t++) part.max = std::max(part.max, b.score(q, t));
  for (int t = 0; t < limit; t++) {
    const double p = std::exp(b.score(q, t) - part.max);
    part.sum += p;
    for (int d = 0; d < b.dim; d++) part.out[d] += p * b.value(t, d);
  }
  return part;
}

bool near(const Part& t, const float* out, float max, float sum) {
  bool ok = std::fabs(max - t.max) <= 1e-5 && std::fabs(sum - t.sum) <= 1e-5 * t.sum;
  for (size_t d = 0; d < t.out.size(); d++) ok = ok && std::fabs(out[d] - t.out[d]) <= 2e-5 * t.sum;
  return ok;
}

void check_block(const Kernels& k, int queries, int count, int dim) {
  const std::string what = std::string(k.name) + ", " + std::to_string(queries) + " queries, " + std::to_string(count) +
                           " keys, width " + std::to_string(dim);
  const Block b(count, dim), behind(77, dim);
  const int ldo = dim + 3;
  Guarded<float> q(static_cast<size_t>(queries) * dim), out(static_cast<size_t>(queries - 1) * ldo + dim), max(queries),
      sum(queries), one(dim), m(1), s(1);
  Guarded<uint8_t> scratch(attention_scratch_bytes(dim));
  std::vector<int> limits(queries);
  for (size_t i = 0; i < q.size(); i++) q[i] = 0.2f * normal();
  for (int i = 0; i < queries; i++) limits[i] = std::max(0, count - i * (1 + count / 20));
  k.attend(b.view(behind.where), q.data(), queries, limits.data(), out.data(), ldo, max.data(), sum.data(),
           scratch.data());
  for (int i = 0; i < queries; i++) {
    const float *query = q.data() + i * dim, *mine = out.data() + i * ldo;
    if (limits[i]) expect(near(truth(b, query, limits[i]), mine, max[i], sum[i]), "attention near float64, " + what);
    else expect(sum[i] == 0.0f, "a query that sees nothing has no weight, " + what);
    expect(i + 1 == queries || out.poisoned(i * ldo + dim, (i + 1) * ldo),
           "attention writes its own outputs only, " + what);
    scratch.poison();
    k.attend(b.view(), query, 1, limits.data() + i, one.data(), dim, m.data(), s.data(), scratch.data());
    expect(same_bits(one.data(), mine, dim) && same_bits(&m[0], &max[i], 1) && same_bits(&s[0], &sum[i], 1),
           "a query's result depends neither on its company nor on the block behind, " + what);
  }
}

// Blocks joined in order, an invisible one among them, make the softmax over all their keys.
void check_join(const Kernels& k, int dim) {
  const Block first(256, dim), second(77, dim);
  const std::string what = std::string(k.name) + ", width " + std::to_string(dim);
  Guarded<float> q(dim), out(dim), part(dim);
  Guarded<uint8_t> scratch(attention_scratch_bytes(dim));
  for (size_t i = 0; i < q.size(); i++) q[i] = 0.3f * normal(), out[i] = 0.0f;
  float max = -std::numeric_limits<float>::infinity(), sum = 0.0f;
  for (const auto& [block, limit] : {std::pair{&first, 0}, {&first, 256}, {&second, 0}, {&second, 77}}) {
    float part_max, part_sum;
    k.attend(block->view(), q.data(), 1, &limit, part.data(), dim, &part_max, &part_sum, scratch.data());
    k.join(out.data(), &max, &sum, part.data(), part_max, part_sum, dim);
  }
  const Part a = truth(first, q.data(), 256), b = truth(second, q.data(), 77);
  Part both{a.out, std::max(a.max, b.max), 0.0};
  const double wa = std::exp(a.max - both.max), wb = std::exp(b.max - both.max);
  both.sum = wa * a.sum + wb * b.sum;
  for (int d = 0; d < dim; d++) both.out[d] = wa * a.out[d] + wb * b.out[d];
  expect(near(both, out.data(), max, sum), "joined blocks near float64, " + what);
}

}  // namespace

void test_attention(const Kernels& k) {
  for (int dim : {64, 128})
    for (int count : {1, 31, 32, 33, 255, 256})
      for (int queries : {1, 11, 40}) check_block(k, queries, count, dim);
  for (int dim : {16, 48, 80, 96}) check_block(k, 3, 40, dim);
  for (int dim : {64, 80, 128}) check_join(k, dim);
}

}  // namespace midline::test
