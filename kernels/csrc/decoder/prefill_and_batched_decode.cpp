#include "decoder/prefill_and_batched_decode.h"

#include <algorithm>
#include <cmath>

namespace midline {

thread_local int ManyRows::phase_ = 0;

namespace {

constexpr int kPhasesPerLayer = 12;

}  // namespace

ManyRows::ManyRows(Decoder& d)
    : d_(d), c_(d.config), k_(d.k_), scratch_(d.config.threads), counters_(kPhasesPerLayer * (d.config.layers + 1)) {
  for (int tid = 0; tid < d.config.threads; tid++) {
    Scratch& s = scratch_[tid];
    s.tid = tid;
    s.gemm.resize(gemm_scratch_bytes() + 64), s.attention.resize(attention_scratch_bytes(c_.head_dim) + 64);
    s.row.resize(std::max(padded(c_.hidden), padded(c_.width)) + kSuper);
  }
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
  x_.resize(n * c_.width), angles_.resize(n * c_.head_dim), qkv_.resize(n * l.qkv.outputs()),
      queries_.resize(n * heads), attended_.resize(n * heads);
  sums_.resize(n * std::max(l.out.outputs(), l.down.outputs())), hidden_.resize(n * padded(c_.hidden)),
      parts_.resize(plan_.shared.empty() ? 0 : n * c_.heads * (c_.head_dim + 2));
  const bool floats = float_ || d_.float_weights_;
  narrow_.reserve(rows, std::max(c_.width, c_.heads * c_.head_dim), floats);
  inner_.reserve(rows, c_.hidden, floats);
  head_.reserve(static_cast<int>(step.logit_rows.size()), c_.width, floats);
  for (auto& counter : counters_) counter.store(c_.threads, std::memory_order_relaxed);
  d_.threads_.run([&](int tid) { work(pool, step, tid); });
  return !cancelled_;
}

void ManyRows::work(uint16_t* pool, const Step& step, int tid) {
  Scratch& s = scratch_[tid];
  phase_ = 0;
  each(rows_, s, [&](int r) {
    d_.embed(step.tokens[r], x_.data() + static_cast<size_t>(r) * c_.width);
    d_.angles(position_[r], angles_.data() + static_cast<size_t>(r) * c_.head_dim);
  });
  const float* residual = nullptr;
  for (int i = 0; i < c_.layers; i++) {
    const Layer& l = d_.weights.layers[i];
    const ProductPlan out = plan(l.out), wide = plan(l.gate_up, 2), down = plan(l.down);
    const ProductPlan after = i + 1 < c_.layers ? plan(d_.weights.layers[i + 1].qkv) : plan_head(step);
    if (tid == 0 && d_.cancelled(step)) cancelled_ = true;
    norm_rows(l.attention_norm, entrance(step, i, l.qkv), residual, l.down.outputs(), s);
    if (cancelled_) return;
    product(plan(l.qkv), narrow_, qkv_.data(), out, s);
    store_rows(pool, l, i, s);
    attention(pool, i, s);
    each(rows_, s, [&](int r) {
      enter(entrance(step, i, l.out), attended_.data() + static_cast<size_t>(r) * c_.heads * c_.head_dim, r, narrow_);
    });
    product(out, narrow_, sums_.data(), wide, s);
    norm_rows(l.ffn_norm, entrance(step, i, l.gate_up), sums_.data(), l.out.outputs(), s);
    gate_up(wide, down, s);
    each(rows_, s, [&](int r) {
      enter(entrance(step, i, l.down), hidden_.data() + static_cast<size_t>(r) * padded(c_.hidden), r, inner_);
    });
    product(down, inner_, sums_.data(), after, s);
    residual = sums_.data();
  }
  if (!step.logit_rows.empty()) head(step, residual, s);
}

ProductPlan ManyRows::plan_head(const Step& step) const {
  const int wanted = static_cast<int>(step.logit_rows.size());
  return wanted ? plan_product(d_.weights.head, wanted, c_.threads) : ProductPlan{};
}

void ManyRows::multiply(const Matrix& m, Range units, const RowBuffer& in, Range of, const UpcomingUnits& next,
                        float* y, size_t ldy, Scratch& s) {
  Rows rows = in.view(of.end - of.begin);
  const size_t at = static_cast<size_t>(of.begin) * in.stride;
  rows.q += at, rows.sum32 += at / kGroup, rows.sum16 += at / 16, rows.scale32 += at / kGroup,
      rows.scale256 += at / kSuper;
  if (rows.x) rows.x += at;
  const int count = units.end - units.begin;
  if (float_)
    for (int u = 0; u < count; u++) float_product(m, units.begin + u, rows.x, rows.rows, in.stride, y + u * kUnit, ldy);
  else
    k_.gemm(m, units.begin, count, rows, next, y, ldy,
            s.gemm.data() + (64 - reinterpret_cast<uintptr_t>(s.gemm.data()) % 64) % 64);
}

void ManyRows::product(const ProductPlan& now, const RowBuffer& in, float* y, const ProductPlan& after, Scratch& s) {
  const size_t ldy = now.m->outputs();
  each(now.items(), s, [&](int i) {
    const Range units = now.units(i), rows = now.rows(i, rows_);
    multiply(*now.m, units, in, rows, now.behind(i, s.tid, c_.threads, after),
             y + rows.begin * ldy + units.begin * kUnit, ldy, s);
  });
}

// Gate and up of the same hidden channels meet while both are in cache.
void ManyRows::gate_up(const ProductPlan& now, const ProductPlan& after, Scratch& s) {
  const int most = gemm_units(now.block_rows);
  const size_t width = padded(c_.hidden);
  s.part.resize(static_cast<size_t>(now.block_rows) * std::max(2, most) * kUnit);
  each(now.items(), s, [&](int i) {
    const Range p = now.units(i), rows = now.rows(i, rows_);
    const int units = p.end - p.begin, wide = units * kUnit;
    for (int u = 0, step = std::min(units, most); u < units; u += step) {
      const UpcomingUnits next =
          u + step < units ? UpcomingUnits{now.m, p.begin + u + step, step} : now.behind(i, s.tid, c_.threads, after);
      multiply(*now.m, {p.begin + u, p.begin + u + step}, narrow_, rows, next, s.part.data() + u * kUnit, wide, s);
    }
    for (int r = rows.begin; r < rows.end; r++)
      for (int u = 0; u < units; u += 2) {
        const float* gate = s.part.data() + static_cast<size_t>(r - rows.begin) * wide + u * kUnit;
        k_.swiglu(gate, gate + kUnit, kUnit, hidden_.data() + r * width + (p.begin + u) / 2 * kUnit);
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

// A row's input of one matrix: what a sparse row drops becomes zero, in place, and the rest what one row's lists would
// hold.
void ManyRows::enter(const Entrance& at, float* x, int row, RowBuffer& to) {
  const int n = at.m.inputs;
  if (at.threshold && sparse_[row]) k_.drop_small(x, at.threshold, n, x);
  if (at.tap) std::copy_n(x, n, at.tap + static_cast<size_t>(row) * c_.layers * d_.tap_width());
  to.quantize(k_, at.m, x, 0, n, row);
}

// x += residual, then the normalized row in the forms `next` reads.
void ManyRows::norm_rows(const float* weight, const Entrance& next, const float* residual, size_t residual_width,
                         Scratch& s) {
  each(rows_, s, [&](int r) {
    float* x = x_.data() + static_cast<size_t>(r) * c_.width;
    if (residual) k_.add(x, residual + r * residual_width, c_.width);
    k_.rms_norm(x, weight, c_.width, c_.eps, s.row.data());
    enter(next, s.row.data(), r, narrow_);
  });
}

// Bias, rotation and scale; queries go to [kv head][row][group][dim], keys and values to their pages.
void ManyRows::store_rows(uint16_t* pool, const Layer& l, int index, Scratch& s) {
  const int dim = c_.head_dim, group = c_.heads / c_.kv_heads, k_at = static_cast<int>(padded(c_.heads * dim)),
            v_at = k_at + static_cast<int>(padded(c_.kv_heads * dim));
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  each(rows_, s, [&](int r) {
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

void ManyRows::head(const Step& step, const float* residual, Scratch& s) {
  const Matrix& m = d_.weights.head;
  const size_t residual_width = d_.weights.layers.back().down.outputs();
  const int wanted = static_cast<int>(step.logit_rows.size());
  each(wanted, s, [&](int i) {
    float* x = x_.data() + static_cast<size_t>(step.logit_rows[i]) * c_.width;
    k_.add(x, residual + step.logit_rows[i] * residual_width, c_.width);
    k_.rms_norm(x, d_.weights.output_norm, c_.width, c_.eps, s.row.data());
    head_.quantize(k_, m, s.row.data(), 0, c_.width, i);
  });
  const ProductPlan all = plan_head(step);
  s.part.resize(static_cast<size_t>(all.block_rows) * gemm_units(all.block_rows) * kUnit);
  each(all.items(), s, [&](int i) {
    const Range units = all.units(i), rows = all.rows(i, wanted);
    const int at = units.begin * kUnit, wide = (units.end - units.begin) * kUnit;
    multiply(m, units, head_, rows, all.behind(i, s.tid, c_.threads, {}), s.part.data(), wide, s);
    for (int r = rows.begin; r < rows.end; r++)
      std::copy_n(s.part.data() + static_cast<size_t>(r - rows.begin) * wide, std::min(wide, c_.vocab - at),
                  step.logits + static_cast<size_t>(r) * c_.vocab + at);
  });
}

}  // namespace midline
