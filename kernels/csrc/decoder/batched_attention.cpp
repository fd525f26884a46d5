// Attention of all rows of a step. Its plan (bifurcated_attention.h) has two phases: first the blocks of keys that
// several sequences share, for all their rows at once, then each row's own blocks.
#include <algorithm>
#include <limits>

#include "decoder/batched_worker.h"

namespace midline {
namespace {

// The online softmax of a row's queries of one KV head over the blocks of keys so far: weighted values, not yet divided
// by the sum of weights; the largest score; the sum of weights.
struct SoftmaxState {
  float *out, *max, *sum;  // [group][dim], [group], [group]
  SoftmaxState(float* state, int group, int dim) : out(state), max(out + group * dim), sum(max + group) {}
  static size_t size(int group, int dim) { return static_cast<size_t>(group) * (dim + 2); }
};

}  // namespace

void PrefillAndBatchedDecode::Worker::attention() {
  const int heads = c_.kv_heads;
  for (const bool last : {false, true}) {
    const std::vector<AttentionItem>& items = last ? all_.plan_.own : all_.plan_.shared;
    if (items.empty()) continue;
    phase(static_cast<int>(items.size()) * heads, [&](int i) { attend(items[i / heads], last, i % heads); });
  }
}

void PrefillAndBatchedDecode::Worker::attend(const AttentionItem& item, bool last, int h) {
  const int dim = c_.head_dim, group = c_.queries_per_kv_head(), n = static_cast<int>(item.rows.size());
  const int queries = n * group;
  const bool gather = item.rows.back() - item.rows.front() != n - 1;  // the queries of consecutive rows are contiguous
  begin_softmax(item, h, gather);
  s_.part.resize(static_cast<size_t>(queries) * (dim + 2)), s_.limits.resize(queries);
  float *part_max = s_.part.data() + static_cast<size_t>(queries) * dim, *part_sum = part_max + queries;
  const float* q = gather ? s_.queries.data() : queries_of(item.rows.front(), h);
  int length = 0;
  for (int row : item.rows) length = std::max(length, all_.position_[row] + 1);
  length = std::min(length, item.last_block * kBlockTokens);
  auto pages = [&](int block) { return cache_.block(item.pages, layer_, h, block, length); };
  AttentionBlock b{pages(item.first_block), {}, dim};
  for (int block = item.first_block; b.now.count > 0; b.now = b.next, block++) {
    b.next = pages(block + 1);
    for (int i = 0; i < queries; i++) {
      const int visible = all_.position_[item.rows[i / group]] + 1 - block * kBlockTokens;  // causal mask
      s_.limits[i] = std::clamp(visible, 0, b.now.count);
    }
    k_.attend(b, q, queries, s_.limits.data(), s_.part.data(), dim, part_max, part_sum, s_.attention.data());
    for (int i = 0; i < queries; i++) {
      const SoftmaxState own(s_.state.data() + i / group * SoftmaxState::size(group, dim), group, dim);
      const int j = i % group;
      k_.join(own.out + j * dim, own.max + j, own.sum + j, s_.part.data() + static_cast<size_t>(i) * dim, part_max[i],
              part_sum[i], dim);
    }
  }
  end_softmax(item, h, last);
}

// Gathers the queries where they are not contiguous, and starts each row's softmax, or continues it after the shared
// blocks.
void PrefillAndBatchedDecode::Worker::begin_softmax(const AttentionItem& item, int h, bool gather) {
  const int dim = c_.head_dim, group = c_.queries_per_kv_head(), n = static_cast<int>(item.rows.size());
  const size_t size = SoftmaxState::size(group, dim);
  s_.queries.resize(gather ? static_cast<size_t>(n) * group * dim : 0), s_.state.resize(n * size);
  for (int j = 0; j < n; j++) {
    const int row = item.rows[j];
    if (gather) std::copy_n(queries_of(row, h), group * dim, s_.queries.data() + static_cast<size_t>(j) * group * dim);
    float* state = s_.state.data() + j * size;
    if (item.continues) {
      std::copy_n(softmax_of(row, h), size, state);
    } else {
      std::fill_n(state, size, 0.0f);
      std::fill_n(SoftmaxState(state, group, dim).max, group, -std::numeric_limits<float>::infinity());
    }
  }
}

// Stores each row's softmax state for its own blocks or, after the last block, divides by the sum of weights.
void PrefillAndBatchedDecode::Worker::end_softmax(const AttentionItem& item, int h, bool last) {
  const int dim = c_.head_dim, group = c_.queries_per_kv_head();
  const size_t size = SoftmaxState::size(group, dim);
  for (size_t j = 0; j < item.rows.size(); j++) {
    float* state = s_.state.data() + j * size;
    if (!last) {
      std::copy_n(state, size, softmax_of(item.rows[j], h));
      continue;
    }
    const SoftmaxState own(state, group, dim);
    float* out = all_.attended_.data() + static_cast<size_t>(item.rows[j]) * c_.heads * dim + h * group * dim;
    for (int i = 0; i < group * dim; i++) out[i] = own.out[i] / own.sum[i / dim];
  }
}

}  // namespace midline
