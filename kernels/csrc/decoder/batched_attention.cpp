// Attention of all rows of a step, item by item of its plan (bifurcated_attention.h).
#include <algorithm>
#include <limits>

#include "decoder/prefill_and_batched_decode.h"

namespace midline {

void ManyRows::attention(uint16_t* pool, int index, Scratch& s) {
  const int heads = c_.kv_heads;
  if (!plan_.shared.empty())
    each(static_cast<int>(plan_.shared.size()) * heads, s,
         [&](int i) { attend(pool, plan_.shared[i / heads], index, i % heads, s); });
  each(static_cast<int>(plan_.own.size()) * heads, s,
       [&](int i) { attend(pool, plan_.own[i / heads], index, i % heads, s); });
}

void ManyRows::attend(uint16_t* pool, const AttentionItem& item, int index, int h, Scratch& s) {
  const int dim = c_.head_dim, group = c_.heads / c_.kv_heads, n = static_cast<int>(item.rows.size()),
            queries = n * group;
  const size_t state = static_cast<size_t>(group) * (dim + 2);        // of one row: outputs, maxima, sums
  const bool copied = item.rows.back() - item.rows.front() != n - 1;  // consecutive rows lie as attend wants them
  s.queries.resize(copied ? static_cast<size_t>(queries) * dim : 0),
      s.part.resize(static_cast<size_t>(queries) * (dim + 2)), s.state.resize(n * state), s.limits.resize(queries);
  auto queries_of = [&](int row) { return queries_.data() + (static_cast<size_t>(h) * rows_ + row) * group * dim; };
  auto part_of = [&](int row) { return parts_.data() + (static_cast<size_t>(h) * rows_ + row) * state; };
  for (int j = 0; j < n; j++) {
    if (copied)
      std::copy_n(queries_of(item.rows[j]), group * dim, s.queries.data() + static_cast<size_t>(j) * group * dim);
    float* own = s.state.data() + j * state;
    if (item.continues) {
      std::copy_n(part_of(item.rows[j]), state, own);
      continue;
    }
    std::fill_n(own, state, 0.0f);
    std::fill_n(own + group * dim, group, -std::numeric_limits<float>::infinity());
  }
  float *part_max = s.part.data() + static_cast<size_t>(queries) * dim, *part_sum = part_max + queries;
  int length = 0;
  for (int row : item.rows) length = std::max(length, position_[row] + 1);
  length = std::min(length, item.last_block * kBlockTokens);
  auto pages = [&](int block) { return d_.block_pages(pool, item.pages, index, h, block, length); };
  AttentionBlock b{pages(item.first_block), {}, dim};
  for (int block = item.first_block; b.now.count > 0; b.now = b.next, block++) {
    b.next = pages(block + 1);
    for (int i = 0; i < queries; i++)
      s.limits[i] = std::clamp(position_[item.rows[i / group]] + 1 - block * kBlockTokens, 0, b.now.count);
    k_.attend(b, copied ? s.queries.data() : queries_of(item.rows.front()), queries, s.limits.data(), s.part.data(),
              dim, part_max, part_sum, s.attention.data());
    for (int i = 0; i < queries; i++) {
      float* own = s.state.data() + i / group * state;
      k_.join(own + i % group * dim, own + group * dim + i % group, own + group * (dim + 1) + i % group,
              s.part.data() + static_cast<size_t>(i) * dim, part_max[i], part_sum[i], dim);
    }
  }
  const bool last = &item >= plan_.own.data() && &item < plan_.own.data() + plan_.own.size();
  for (int j = 0; j < n; j++) {
    const float* own = s.state.data() + j * state;
    if (!last) {
      std::copy_n(own, state, part_of(item.rows[j]));
      continue;
    }
    float* out = attended_.data() + static_cast<size_t>(item.rows[j]) * c_.heads * dim + h * group * dim;
    for (int i = 0; i < group * dim; i++) out[i] = own[i] / own[group * (dim + 1) + i / dim];
  }
}

}  // namespace midline
