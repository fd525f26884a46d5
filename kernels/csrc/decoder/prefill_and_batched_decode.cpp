#include "decoder/prefill_and_batched_decode.h"

#include <algorithm>
#include <cmath>

#include "decoder/batched_worker.h"
#include "decoder/float_product.h"
#include "decoder/layer_schedule.h"

namespace midline {
namespace {

constexpr int kPhasesPerLayer = 12;  // at most

template <class T> T* aligned64(T* p) { return p + (64 - reinterpret_cast<uintptr_t>(p) % 64) % 64; }

}  // namespace

PrefillAndBatchedDecode::PrefillAndBatchedDecode(Decoder& d)
    : d_(d), c_(d.config), scratch_(c_.threads), next_item_(kPhasesPerLayer * (c_.layers + 1)) {
  for (Scratch& s : scratch_) {
    s.gemm.resize(gemm_scratch_bytes() + 64), s.attention.resize(attention_scratch_bytes(c_.head_dim) + 64);
    s.row.resize(std::max(padded(c_.hidden), padded(c_.width)) + kSuper);
  }
}

bool PrefillAndBatchedDecode::run(uint16_t* kv_pool, const Step& step, int rows) {
  rows_ = rows, float_ = step.float_activations, cancelled_ = false;
  plan_ = plan_attention(step.segments);
  position_.clear(), pages_.clear(), sparse_.clear();
  for (const Segment& s : step.segments)
    for (int r = 0; r < s.rows; r++) {
      position_.push_back(s.start + r), pages_.push_back(s.pages);
      sparse_.push_back(step.thresholds && s.start + r >= s.sparse_from);
    }
  reserve(step);
  for (auto& item : next_item_) item.store(c_.threads, std::memory_order_relaxed);
  d_.threads_.run([&](int tid) {
    Worker worker(*this, kv_pool, step, tid);
    run_layer_schedule(d_.weights, worker);
  });
  return !cancelled_;
}

void PrefillAndBatchedDecode::reserve(const Step& step) {
  const Layer& l = d_.weights.layers[0];
  const size_t n = rows_, heads = static_cast<size_t>(c_.heads) * c_.head_dim;
  x_.resize(n * c_.width), angles_.resize(n * c_.head_dim);
  qkv_.resize(n * l.qkv.outputs()), queries_.resize(n * heads), attended_.resize(n * heads);
  softmax_.resize(plan_.shared.empty() ? 0 : n * c_.heads * (c_.head_dim + 2));
  sums_.resize(n * std::max(l.out.outputs(), l.down.outputs())), hidden_.resize(n * padded(c_.hidden));
  const bool floats = float_ || d_.float_weights_;
  narrow_.reserve(rows_, std::max(c_.width, c_.heads * c_.head_dim), floats);
  inner_.reserve(rows_, c_.hidden, floats);
  head_input_.reserve(static_cast<int>(step.logit_rows.size()), c_.width, floats);
}

void PrefillAndBatchedDecode::Worker::embed() {
  phase(all_.rows_, [&](int r) {
    d_.embed(step_.tokens[r], x(r));
    d_.rope_.angles(all_.position_[r], all_.angles_.data() + static_cast<size_t>(r) * c_.head_dim);
  });
}

void PrefillAndBatchedDecode::Worker::begin_layer(int layer) {
  layer_ = layer;
  if (tid_ == 0 && d_.cancelled(step_)) all_.cancelled_ = true;
}

ProductPlan PrefillAndBatchedDecode::Worker::plan(const Matrix& m) const {
  const int logit_rows = static_cast<int>(step_.logit_rows.size());
  if (&m != &d_.weights.head) return plan_product(m, all_.rows_, c_.threads, &m == &layer().gate_up ? 2 : 1);
  return logit_rows ? plan_product(m, logit_rows, c_.threads) : ProductPlan{};
}

PrefillAndBatchedDecode::Worker::Input PrefillAndBatchedDecode::Worker::input(const Matrix& m) const {
  const Layer& l = layer();
  const LayerThresholds t = step_.thresholds ? (*step_.thresholds)[layer_] : LayerThresholds{};
  const size_t width = c_.width, begin = layer_ * d_.inputs_per_layer();
  auto copy = [&](size_t offset) { return step_.matrix_inputs ? step_.matrix_inputs + begin + offset : nullptr; };
  if (&m == &l.qkv) return {m, t.qkv, copy(0)};
  if (&m == &l.out) return {m, t.out, copy(width)};
  if (&m == &l.gate_up) return {m, t.gate_up, copy(width + l.out.inputs)};
  return {m, t.down, copy(2 * width + l.out.inputs)};
}

// Quantizes a row as the input of a matrix. In a sparse row the dropped channels are set to zero, in x too, so that the
// product has the same bits as that of survivor lists.
void PrefillAndBatchedDecode::Worker::enter(const Input& in, float* x, int row, RowBuffer& to) {
  const int n = in.m.inputs;
  if (in.threshold && all_.sparse_[row]) k_.drop_small(x, in.threshold, n, x);
  if (in.copy) std::copy_n(x, n, in.copy + static_cast<size_t>(row) * c_.layers * d_.inputs_per_layer());
  to.quantize(k_, in.m, x, 0, n, row);
}

void PrefillAndBatchedDecode::Worker::add_residual(int row) {
  if (residual_width_) k_.add(x(row), all_.sums_.data() + row * residual_width_, c_.width);
}

void PrefillAndBatchedDecode::Worker::norm(const float* weight, const Matrix& reader) {
  const Input in = input(reader);
  phase(all_.rows_, [&](int r) {
    add_residual(r);
    k_.rms_norm(x(r), weight, c_.width, c_.eps, s_.row.data());
    enter(in, s_.row.data(), r, all_.narrow_);
  });
}

// y[rows in `of`][ldy] = those rows times `units` of a matrix.
void PrefillAndBatchedDecode::Worker::multiply(const Matrix& m, Range units, const RowBuffer& in, Range of,
                                               const UpcomingUnits& next, float* y, size_t ldy) {
  Rows rows = in.view(of.end - of.begin);
  const size_t at = static_cast<size_t>(of.begin) * in.stride;
  rows.q += at;
  rows.sum32 += at / kGroup, rows.sum16 += at / 16;
  rows.scale32 += at / kGroup, rows.scale256 += at / kSuper;
  if (rows.x) rows.x += at;
  const int count = units.end - units.begin;
  if (all_.float_)
    for (int u = 0; u < count; u++) float_product(m, units.begin + u, rows.x, rows.rows, in.stride, y + u * kUnit, ldy);
  else k_.gemm(m, units.begin, count, rows, next, y, ldy, aligned64(s_.gemm.data()));
}

void PrefillAndBatchedDecode::Worker::product(const Matrix& m, const RowBuffer& in, float* y, const Matrix& next) {
  const ProductPlan now = plan(m), after = plan(next);
  const size_t ldy = m.outputs();
  phase(now.items(), [&](int i) {
    const Range units = now.units(i), rows = now.rows(i, all_.rows_);
    multiply(m, units, in, rows, now.behind(i, tid_, c_.threads, after), y + rows.begin * ldy + units.begin * kUnit,
             ldy);
  });
}

void PrefillAndBatchedDecode::Worker::qkv(const Matrix& m, const Matrix& next) {
  product(m, all_.narrow_, all_.qkv_.data(), next);
}

void PrefillAndBatchedDecode::Worker::rope_and_store() {
  const int dim = c_.head_dim, group = c_.queries_per_kv_head();
  const int k_at = static_cast<int>(padded(c_.heads * dim)), v_at = k_at + static_cast<int>(padded(c_.kv_heads * dim));
  const int outputs = layer().qkv.outputs();
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  phase(all_.rows_, [&](int r) {
    float* y = all_.qkv_.data() + static_cast<size_t>(r) * outputs;
    if (layer().qkv_bias) k_.add(y, layer().qkv_bias, outputs);
    const float* angles = all_.angles_.data() + static_cast<size_t>(r) * dim;
    for (int h = 0; h < c_.heads; h++) {
      d_.rope_.rotate(y + h * dim, angles);
      float* q = queries_of(r, h / group) + h % group * dim;
      for (int i = 0; i < dim; i++) q[i] = y[h * dim + i] * scale;
    }
    for (int h = 0; h < c_.kv_heads; h++) {
      d_.rope_.rotate(y + k_at + h * dim, angles);
      cache_.store(all_.pages_[r], all_.position_[r], layer_, h, y + k_at + h * dim, y + v_at + h * dim);
    }
  });
}

void PrefillAndBatchedDecode::Worker::out(const Matrix& m, const Matrix& next) {
  const Input in = input(m);
  const size_t heads = static_cast<size_t>(c_.heads) * c_.head_dim;
  phase(all_.rows_, [&](int r) { enter(in, all_.attended_.data() + r * heads, r, all_.narrow_); });
  product(m, all_.narrow_, all_.sums_.data(), next);
  residual_width_ = m.outputs();
}

// SwiGLU is computed per item, while gate and up of its hidden channels are in cache.
void PrefillAndBatchedDecode::Worker::gate_up(const Matrix& m, const Matrix& next) {
  const ProductPlan now = plan(m), after = plan(next);
  const int most = gemm_units(now.block_rows);
  const size_t width = padded(c_.hidden);
  s_.part.resize(static_cast<size_t>(now.block_rows) * std::max(2, most) * kUnit);
  phase(now.items(), [&](int i) {
    const Range p = now.units(i), rows = now.rows(i, all_.rows_);
    const int units = p.end - p.begin, wide = units * kUnit;
    for (int u = 0, step = std::min(units, most); u < units; u += step) {
      const UpcomingUnits upcoming =
          u + step < units ? UpcomingUnits{&m, p.begin + u + step, step} : now.behind(i, tid_, c_.threads, after);
      const Range some{p.begin + u, p.begin + u + step};
      multiply(m, some, all_.narrow_, rows, upcoming, s_.part.data() + u * kUnit, wide);
    }
    for (int r = rows.begin; r < rows.end; r++)
      for (int u = 0; u < units; u += 2) {
        const float* gate = s_.part.data() + static_cast<size_t>(r - rows.begin) * wide + u * kUnit;
        k_.swiglu(gate, gate + kUnit, kUnit, all_.hidden_.data() + r * width + (p.begin + u) / 2 * kUnit);
      }
  });
}

void PrefillAndBatchedDecode::Worker::down(const Matrix& m, const Matrix& next) {
  const Input in = input(m);
  phase(all_.rows_, [&](int r) { enter(in, all_.hidden_.data() + r * padded(c_.hidden), r, all_.inner_); });
  product(m, all_.inner_, all_.sums_.data(), next);
  residual_width_ = m.outputs();
}

void PrefillAndBatchedDecode::Worker::head(const float* output_norm, const Matrix& m) {
  const int wanted = static_cast<int>(step_.logit_rows.size());
  if (wanted == 0) return;
  phase(wanted, [&](int i) {
    const int row = step_.logit_rows[i];
    add_residual(row);
    k_.rms_norm(x(row), output_norm, c_.width, c_.eps, s_.row.data());
    all_.head_input_.quantize(k_, m, s_.row.data(), 0, c_.width, i);
  });
  const ProductPlan now = plan(m);
  s_.part.resize(static_cast<size_t>(now.block_rows) * gemm_units(now.block_rows) * kUnit);
  phase(now.items(), [&](int i) {
    const Range units = now.units(i), rows = now.rows(i, wanted);
    const int at = units.begin * kUnit, wide = (units.end - units.begin) * kUnit;
    multiply(m, units, all_.head_input_, rows, now.behind(i, tid_, c_.threads, {}), s_.part.data(), wide);
    for (int r = rows.begin; r < rows.end; r++)
      std::copy_n(s_.part.data() + static_cast<size_t>(r - rows.begin) * wide, std::min(wide, c_.vocab - at),
                  step_.logits + static_cast<size_t>(r) * c_.vocab + at);
  });
}

}  // namespace midline
