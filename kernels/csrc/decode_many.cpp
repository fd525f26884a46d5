#include "decode_many.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace midline {

thread_local int ManyRows::phase_ = 0;

namespace {

constexpr int kPhasesPerLayer = 12;
constexpr int kItemsPerThread = 8;  // a product of few units is split by rows, too, until there are as many items as this

}  // namespace

ManyRows::ManyRows(Decoder& d) : d_(d), c_(d.config), k_(d.k_), scratch_(d.config.threads), counters_(kPhasesPerLayer * (d.config.layers + 1)) {
  for (Scratch& s : scratch_) {
    s.gemm.resize(gemm_scratch_bytes() + 64), s.attention.resize(attention_scratch_bytes(c_.head_dim) + 64);
    s.row.resize(std::max(padded(c_.hidden), padded(c_.width)) + kSuper);
  }
}

template <class F> void ManyRows::each(int items, F f) {
  std::atomic<int>& next = counters_[phase_++];
  for (int i; (i = next.fetch_add(1, std::memory_order_relaxed)) < items;) f(i);
  d_.threads_.barrier();
}

bool ManyRows::run(uint16_t* pool, const Step& step, int rows) {
  rows_ = rows, float_ = step.float_activations, cancelled_ = false;
  plan_ = plan_attention(step.segments);
  position_.clear(), pages_.clear(), sparse_.clear();
  for (const Segment& s : step.segments)
    for (int r = 0; r < s.rows; r++) {
      position_.push_back(s.start + r), pages_.push_back(s.pages);
      sparse_.push_back(step.thresholds && s.start + r >= s.sparse_from);
    }
  const Layer& l = d_.weights.layers[0];
  const size_t n = rows, heads = static_cast<size_t>(c_.heads) * c_.head_dim;
  x_.resize(n * c_.width), angles_.resize(n * c_.head_dim), qkv_.resize(n * l.qkv.outputs()), queries_.resize(n * heads), attended_.resize(n * heads);
  sums_.resize(n * std::max(l.out.outputs(), l.down.outputs())), hidden_.resize(n * padded(c_.hidden)),
  parts_.resize(plan_.shared.empty() ? 0 : n * c_.heads * (c_.head_dim + 2));
  const bool floats = float_ || d_.float_weights_;
  narrow_.reserve(rows, std::max(c_.width, c_.heads * c_.head_dim), floats);
  inner_.reserve(rows, c_.hidden, floats);
  head_.reserve(static_cast<int>(step.logit_rows.size()), c_.width, floats);
  for (auto& counter : counters_) counter.store(0, std::memory_order_relaxed);
  d_.threads_.run([&](int tid) { work(pool, step, tid); });
  return !cancelled_;
}

void ManyRows::work(uint16_t* pool, const Step& step, int tid) {
  Scratch& s = scratch_[tid];
  phase_ = 0;
  each(rows_, [&](int r) {
    d_.embed(step.tokens[r], x_.data() + static_cast<size_t>(r) * c_.width);
    d_.angles(position_[r], angles_.data() + static_cast<size_t>(r) * c_.head_dim);
  });
  const float* residual = nullptr;
  for (int i = 0; i < c_.layers; i++) {
    const Layer& l = d_.weights.layers[i];
    if (tid == 0 && d_.cancelled(step)) cancelled_ = true;
    norm_rows(l.attention_norm, entrance(step, i, l.qkv), residual, l.down.outputs(), s);
    if (cancelled_) return;
    product(l.qkv, narrow_, qkv_.data(), s);
    store_rows(pool, l, i, s);
    attention(pool, i, s);
    each(rows_, [&](int r) { enter(entrance(step, i, l.out), attended_.data() + static_cast<size_t>(r) * c_.heads * c_.head_dim, r, narrow_); });
    product(l.out, narrow_, sums_.data(), s);
    norm_rows(l.ffn_norm, entrance(step, i, l.gate_up), sums_.data(), l.out.outputs(), s);
    gate_up(l.gate_up, s);
    each(rows_, [&](int r) { enter(entrance(step, i, l.down), hidden_.data() + static_cast<size_t>(r) * padded(c_.hidden), r, inner_); });
    product(l.down, inner_, sums_.data(), s);
    residual = sums_.data();
  }
  if (!step.logit_rows.empty()) head(step, residual, s);
}

// Few rows: groups of at most `most` neighbouring units, as many for every thread. Many rows: one unit an item, and as few rows
// as it takes to keep all threads busy.
ManyRows::Cut ManyRows::cut(int units, int most) const {
  const int least = (units + most - 1) / most, even = (least + c_.threads - 1) / c_.threads * c_.threads;
  if (rows_ <= kExactRows) return {std::min(even, units), 1, rows_};
  int block = rows_;
  while (units * ((rows_ + block - 1) / block) < kItemsPerThread * c_.threads && block >= 4 * kExactRows) block = (block + 1) / 2;
  return {units, (rows_ + block - 1) / block, block};
}

// Units [first, first + units) times rows [row, row + n), into y[n][ldy].
void ManyRows::multiply(const Matrix& m, int first, int units, const RowBuffer& in, int row, int n, float* y, size_t ldy, Scratch& s) {
  Rows rows = in.view(n);
  const size_t at = static_cast<size_t>(row) * in.stride;
  rows.q += at, rows.sum32 += at / kGroup, rows.sum16 += at / 16, rows.scale32 += at / kGroup, rows.scale256 += at / kSuper;
  if (rows.x) rows.x += at;
  if (float_)
    for (int u = 0; u < units; u++) float_product(m, first + u, rows.x, n, in.stride, y + u * kUnit, ldy);
  else k_.gemm(m, first, units, rows, y, ldy, s.gemm.data() + (64 - reinterpret_cast<uintptr_t>(s.gemm.data()) % 64) % 64);
}

void ManyRows::product(const Matrix& m, const RowBuffer& in, float* y, Scratch& s) {
  const Cut c = cut(m.units, gemm_units(rows_));
  each(c.groups * c.blocks, [&](int i) {
    const Range units = share(m.units, i / c.blocks, c.groups);
    const int row = i % c.blocks * c.block_rows, n = std::min(c.block_rows, rows_ - row);
    multiply(m, units.begin, units.end - units.begin, in, row, n, y + static_cast<size_t>(row) * m.outputs() + units.begin * kUnit, m.outputs(), s);
  });
}

// Gate and up of the same hidden channels meet while both are in cache.
void ManyRows::gate_up(const Matrix& m, Scratch& s) {
  const int pairs = m.units / 2, most = std::max(1, gemm_units(rows_) / 2);
  const Cut c = cut(pairs, most);
  const size_t width = padded(c_.hidden);
  s.part.resize(static_cast<size_t>(c.block_rows) * 2 * most * kUnit);
  each(c.groups * c.blocks, [&](int i) {
    const Range p = share(pairs, i / c.blocks, c.groups);
    const int row = i % c.blocks * c.block_rows, n = std::min(c.block_rows, rows_ - row), units = 2 * (p.end - p.begin), wide = units * kUnit;
    for (int u = 0, step = std::min(units, gemm_units(rows_)); u < units; u += step)
      multiply(m, 2 * p.begin + u, step, narrow_, row, n, s.part.data() + u * kUnit, wide, s);
    for (int r = 0; r < n; r++)
      for (int u = 0; u < units; u += 2) {
        const float* gate = s.part.data() + static_cast<size_t>(r) * wide + u * kUnit;
        k_.swiglu(gate, gate + kUnit, kUnit, hidden_.data() + (row + r) * width + (p.begin + u / 2) * kUnit);
      }
  });
}

ManyRows::Entrance ManyRows::entrance(const Step& step, int layer, const Matrix& m) const {
  const Layer& l = d_.weights.layers[layer];
  const LayerThresholds t = step.thresholds ? (*step.thresholds)[layer] : LayerThresholds{};
  const size_t width = c_.width, at = layer * d_.tap_width();
  auto tap = [&](size_t offset) { return step.tap ? step.tap + at + offset : nullptr; };
  if (&m == &l.qkv) return {m, t.qkv, tap(0)};
  if (&m == &l.out) return {m, t.out, tap(width)};
  if (&m == &l.gate_up) return {m, t.gate_up, tap(width + l.out.inputs)};
  return {m, t.down, tap(2 * width + l.out.inputs)};
}

// A row's input of one matrix: what a sparse row drops becomes zero, in place, and the rest what one row's lists would hold.
void ManyRows::enter(const Entrance& at, float* x, int row, RowBuffer& to) {
  const int n = at.m.inputs;
  if (at.threshold && sparse_[row]) k_.drop_small(x, at.threshold, n, x);
  if (at.tap) std::copy_n(x, n, at.tap + static_cast<size_t>(row) * c_.layers * d_.tap_width());
  to.quantize(k_, at.m, x, 0, n, row);
}

// x += residual, then the normalized row in the forms `next` reads.
void ManyRows::norm_rows(const float* weight, const Entrance& next, const float* residual, size_t residual_width, Scratch& s) {
  each(rows_, [&](int r) {
    float* x = x_.data() + static_cast<size_t>(r) * c_.width;
    if (residual) k_.add(x, residual + r * residual_width, c_.width);
    k_.rms_norm(x, weight, c_.width, c_.eps, s.row.data());
    enter(next, s.row.data(), r, narrow_);
  });
}

// Bias, rotation and scale; queries go to [kv head][row][group][dim], keys and values to their pages.
void ManyRows::store_rows(uint16_t* pool, const Layer& l, int index, Scratch&) {
  const int dim = c_.head_dim, group = c_.heads / c_.kv_heads, k_at = static_cast<int>(padded(c_.heads * dim)), v_at = k_at + static_cast<int>(padded(c_.kv_heads * dim));
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  each(rows_, [&](int r) {
    float* y = qkv_.data() + static_cast<size_t>(r) * l.qkv.outputs();
    if (l.qkv_bias) k_.add(y, l.qkv_bias, l.qkv.outputs());
    const float* turn = angles_.data() + static_cast<size_t>(r) * dim;
    for (int h = 0; h < c_.heads; h++) {
      d_.rotate(y + h * dim, turn);
      float* q = queries_.data() + ((static_cast<size_t>(h / group) * rows_ + r) * group + h % group) * dim;
      for (int i = 0; i < dim; i++) q[i] = y[h * dim + i] * scale;
    }
    for (int h = 0; h < c_.kv_heads; h++) {
      d_.rotate(y + k_at + h * dim, turn);
      d_.store_kv(pool, pages_[r], position_[r], index, h, y + k_at + h * dim, y + v_at + h * dim);
    }
  });
}

void ManyRows::attention(uint16_t* pool, int index, Scratch& s) {
  const int heads = c_.kv_heads;
  if (!plan_.shared.empty())
    each(static_cast<int>(plan_.shared.size()) * heads, [&](int i) { attend(pool, plan_.shared[i / heads], index, i % heads, s); });
  each(static_cast<int>(plan_.own.size()) * heads, [&](int i) { attend(pool, plan_.own[i / heads], index, i % heads, s); });
}

void ManyRows::attend(uint16_t* pool, const AttentionItem& item, int index, int h, Scratch& s) {
  const int dim = c_.head_dim, group = c_.heads / c_.kv_heads, n = static_cast<int>(item.rows.size()), queries = n * group;
  const size_t state = static_cast<size_t>(group) * (dim + 2);  // of one row: outputs, maxima, sums
  const bool copied = item.rows.back() - item.rows.front() != n - 1;  // consecutive rows lie as attend wants them
  s.queries.resize(copied ? static_cast<size_t>(queries) * dim : 0), s.part.resize(static_cast<size_t>(queries) * (dim + 2)), s.state.resize(n * state), s.limits.resize(queries);
  auto queries_of = [&](int row) { return queries_.data() + (static_cast<size_t>(h) * rows_ + row) * group * dim; };
  auto part_of = [&](int row) { return parts_.data() + (static_cast<size_t>(h) * rows_ + row) * state; };
  for (int j = 0; j < n; j++) {
    if (copied) std::copy_n(queries_of(item.rows[j]), group * dim, s.queries.data() + static_cast<size_t>(j) * group * dim);
    float* own = s.state.data() + j * state;
    if (item.continues) { std::copy_n(part_of(item.rows[j]), state, own); continue; }
    std::fill_n(own, state, 0.0f);
    std::fill_n(own + group * dim, group, -std::numeric_limits<float>::infinity());
  }
  float *part_max = s.part.data() + static_cast<size_t>(queries) * dim, *part_sum = part_max + queries;
  for (int b = item.first_block; b < item.last_block; b++) {
    const uint16_t *k[kBlockTokens / kPageTokens], *v[kBlockTokens / kPageTokens];
    int count = 0;
    for (int i = 0; i < queries; i++) {
      s.limits[i] = std::clamp(position_[item.rows[i / group]] + 1 - b * kBlockTokens, 0, kBlockTokens);
      count = std::max(count, s.limits[i]);
    }
    for (int g = 0; g * kPageTokens < count; g++) {
      const int page = item.pages[b * (kBlockTokens / kPageTokens) + g];
      k[g] = d_.keys(pool, page, index, h), v[g] = d_.values(pool, page, index, h);
    }
    k_.attend({k, v, count, dim}, copied ? s.queries.data() : queries_of(item.rows.front()), queries, s.limits.data(), s.part.data(), dim, part_max, part_sum, s.attention.data());
    for (int i = 0; i < queries; i++) {
      float* own = s.state.data() + i / group * state;
      k_.join(own + i % group * dim, own + group * dim + i % group, own + group * (dim + 1) + i % group, s.part.data() + static_cast<size_t>(i) * dim, part_max[i], part_sum[i], dim);
    }
  }
  const bool last = &item >= plan_.own.data() && &item < plan_.own.data() + plan_.own.size();
  for (int j = 0; j < n; j++) {
    const float* own = s.state.data() + j * state;
    if (!last) { std::copy_n(own, state, part_of(item.rows[j])); continue; }
    float* out = attended_.data() + static_cast<size_t>(item.rows[j]) * c_.heads * dim + h * group * dim;
    for (int i = 0; i < group * dim; i++) out[i] = own[i] / own[group * (dim + 1) + i / dim];
  }
}

void ManyRows::head(const Step& step, const float* residual, Scratch& s) {
  const Matrix& m = d_.weights.head;
  const size_t residual_width = d_.weights.layers.back().down.outputs();
  const int wanted = static_cast<int>(step.logit_rows.size());
  each(wanted, [&](int i) {
    float* x = x_.data() + static_cast<size_t>(step.logit_rows[i]) * c_.width;
    k_.add(x, residual + step.logit_rows[i] * residual_width, c_.width);
    k_.rms_norm(x, d_.weights.output_norm, c_.width, c_.eps, s.row.data());
    head_.quantize(k_, m, s.row.data(), 0, c_.width, i);
  });
  const int most = gemm_units(wanted), groups = (m.units + most - 1) / most;
  s.part.resize(static_cast<size_t>(wanted) * most * kUnit);
  each(groups, [&](int i) {
    const Range units = share(m.units, i, groups);
    const int at = units.begin * kUnit, wide = (units.end - units.begin) * kUnit;
    multiply(m, units.begin, units.end - units.begin, head_, 0, wanted, s.part.data(), wide, s);
    for (int r = 0; r < wanted; r++)
      std::copy_n(s.part.data() + static_cast<size_t>(r) * wide, std::min(wide, c_.vocab - at), step.logits + static_cast<size_t>(r) * c_.vocab + at);
  });
}

}  // namespace midline
