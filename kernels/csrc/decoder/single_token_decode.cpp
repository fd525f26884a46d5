#include "decoder/single_token_decode.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "decoder/screened_head.h"

namespace midline {
namespace {

// Sum of the chunks' parts of outputs [begin, begin + n), in order.
void sum_chunks(const Kernels& k, const Matrix& m, const std::vector<float>& partial, int begin, int n, float* y) {
  std::copy_n(partial.data() + begin, n, y);
  for (int c = 1; c < m.chunk_count(); c++) k.add(y, partial.data() + static_cast<size_t>(c) * m.outputs() + begin, n);
}

}  // namespace

OneRow::OneRow(Decoder& d) : d_(d), c_(d.config), k_(d.k_), private_(d.config.threads) {
  auto grow = [](std::vector<float>& v, const Matrix& m) {
    v.resize(std::max(v.size(), static_cast<size_t>(m.outputs()) * m.chunk_count()));
  };
  int inputs = std::max(c_.width, c_.heads * c_.head_dim);
  size_t panel = kUnit, widest = 0;
  for (const Layer& l : d.weights.layers) {
    grow(qkv_, l.qkv), grow(out_, l.out), grow(gate_up_, l.gate_up), grow(down_, l.down);
    widest = std::max({widest, static_cast<size_t>(l.out.outputs()), static_cast<size_t>(l.down.outputs())});
    for (const Matrix* m : {&l.qkv, &l.out, &l.gate_up, &l.down})
      for (const Panel& p : m->panels) panel = std::max(panel, static_cast<size_t>(p.units) * kUnit);
  }
  attended_.resize(static_cast<size_t>(c_.heads) * c_.head_dim);
  for (Private& p : private_) {
    p.x.resize(c_.width), p.norm.resize(c_.width),
        p.wide.resize(std::max(widest, padded(c_.hidden) + 2 * static_cast<size_t>(kUnit)));
    p.out.resize(panel), p.blk.resize(panel), p.angles.resize(c_.head_dim);
    p.queries.resize(static_cast<size_t>(c_.heads / c_.kv_heads + 2) * c_.head_dim);
    p.input.reserve(1, std::max(inputs, c_.hidden), true);
    p.attention.resize(attention_scratch_bytes(c_.head_dim) + 4096 + sizeof(float) * c_.heads * (2 * c_.head_dim + 2));
  }
}

bool OneRow::run(uint16_t* pool, const Step& step) {
  cancelled_ = false;
  d_.threads_.run([&](int tid) { layers(pool, step, tid); });
  return !cancelled_;
}

void OneRow::layers(uint16_t* pool, const Step& step, int tid) {
  Private& p = private_[tid];
  d_.embed(step.tokens[0], p.x.data());
  d_.angles(step.segments[0].start, p.angles.data());
  for (int i = 0; i < c_.layers; i++) {
    const Layer& l = d_.weights.layers[i];
    const LayerThresholds t = thresholds(step, i);
    if (tid == 0 && d_.cancelled(step)) cancelled_ = true;
    k_.rms_norm(p.x.data(), l.attention_norm, c_.width, c_.eps, p.norm.data());
    product(l.qkv, t.qkv, p.norm.data(), qkv_, l.out, p, tid);
    d_.threads_.barrier();
    if (cancelled_) return;
    attention(pool, step, l, i, p, tid);
    d_.threads_.barrier();
    product(l.out, t.out, attended_.data(), out_, l.gate_up, p, tid);
    d_.threads_.barrier();
    add_residual(l.out, out_, p);
    k_.rms_norm(p.x.data(), l.ffn_norm, c_.width, c_.eps, p.norm.data());
    product(l.gate_up, t.gate_up, p.norm.data(), gate_up_, l.down, p, tid);
    d_.threads_.barrier();
    down(l, t.down, i + 1 < c_.layers ? d_.weights.layers[i + 1].qkv : d_.weights.head, p, tid);
    d_.threads_.barrier();
    add_residual(l.down, down_, p);
  }
  k_.rms_norm(p.x.data(), d_.weights.output_norm, c_.width, c_.eps, p.norm.data());
  head(step, p, tid);
}

LayerThresholds OneRow::thresholds(const Step& step, int layer) const {
  const Segment& s = step.segments[0];
  return step.thresholds && s.start >= s.sparse_from ? (*step.thresholds)[layer] : LayerThresholds{};
}

void OneRow::product(const Matrix& m, const float* threshold, const float* x, std::vector<float>& partial,
                     const Matrix& after, Private& p, int tid) {
  if (threshold) p.input.sparsify(k_, m, threshold, x, 0, m.inputs);
  else p.input.quantize(k_, m, x, 0, m.inputs, 0);
  multiply(m, threshold ? p.input.survivors() : p.input.row(0, d_.dense_), partial, after, p, tid);
}

// This thread's items of `m`; the first of `after`, the next product, is already on its way when they are done.
void OneRow::multiply(const Matrix& m, const Activations& a, std::vector<float>& partial, const Matrix& after,
                      Private& p, int tid) {
  const Range items = share(m.items(), tid, c_.threads);
  for (int i = items.begin; i < items.end; i++) {
    const Upcoming next = i + 1 < items.end ? item(m, i + 1) : item(after, share(after.items(), tid, c_.threads).begin);
    const auto [_, panel, chunk] = item(m, i);
    float* out = partial.data() + static_cast<size_t>(chunk) * m.outputs() + m.panels[panel].first_unit * kUnit;
    k_.gemv(m, panel, chunk, a, next, out, p.blk.data());
  }
}

// SwiGLU of just the channels that this thread's chunks read, then the product.
void OneRow::down(const Layer& l, const float* threshold, const Matrix& after, Private& p, int tid) {
  const Matrix &m = l.down, &gu = l.gate_up;
  const Range items = share(m.items(), tid, c_.threads);
  if (items.begin == items.end) return;
  int first = m.superblocks(), last = 0;
  for (int i = items.begin; i < items.end; i++)
    first = std::min(first, m.chunks[i % m.chunk_count()]), last = std::max(last, m.chunks[i % m.chunk_count() + 1]);
  const int begin = first * kSuper, end = std::min(last * kSuper, m.inputs);
  float *h = p.wide.data(), *pair = h + padded(c_.hidden);
  for (int unit = begin / kUnit; unit * kUnit < end; unit++) {
    sum_chunks(k_, gu, gate_up_, 2 * unit * kUnit, 2 * kUnit, pair);
    k_.swiglu(pair, pair + kUnit, kUnit, h + unit * kUnit);
  }
  if (threshold) p.input.sparsify(k_, m, threshold + begin, h + begin, begin, end - begin);
  else p.input.quantize(k_, m, h + begin, begin, end - begin, 0);
  multiply(m, threshold ? p.input.survivors() : p.input.row(0, d_.dense_), down_, after, p, tid);
}

void OneRow::add_residual(const Matrix& m, const std::vector<float>& partial, Private& p) {
  sum_chunks(k_, m, partial, 0, m.outputs(), p.wide.data());
  k_.add(p.x.data(), p.wide.data(), c_.width);
}

void OneRow::attention(uint16_t* pool, const Step& step, const Layer& l, int index, Private& p, int tid) {
  const int dim = c_.head_dim, group = c_.heads / c_.kv_heads;
  const int k_at = static_cast<int>(padded(c_.heads * dim)), v_at = k_at + static_cast<int>(padded(c_.kv_heads * dim));
  auto project = [&](int at, int n, float* y) {
    sum_chunks(k_, l.qkv, qkv_, at, n, y);
    if (l.qkv_bias) k_.add(y, l.qkv_bias + at, n);
  };
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  for (int h = tid; h < c_.kv_heads; h += c_.threads) {
    float *q = p.queries.data(), *key = q + group * dim, *value = key + dim;
    project(h * group * dim, group * dim, q);
    project(k_at + h * dim, dim, key);
    project(v_at + h * dim, dim, value);
    for (int i = 0; i < group; i++) d_.rotate(q + i * dim, p.angles.data());
    d_.rotate(key, p.angles.data());
    for (int i = 0; i < group * dim; i++) q[i] *= scale;
    d_.store_kv(pool, step.segments[0].pages, step.segments[0].start, index, h, key, value);
    attend(pool, step, index, h, p);
  }
}

void OneRow::attend(uint16_t* pool, const Step& step, int index, int h, Private& p) {
  const int dim = c_.head_dim, group = c_.heads / c_.kv_heads, length = step.segments[0].start + 1;
  float* part = reinterpret_cast<float*>(p.attention.data() + attention_scratch_bytes(dim));
  float *max = part + group * dim, *sum = max + group, *part_max = sum + group, *part_sum = part_max + group;
  float* out = attended_.data() + static_cast<size_t>(h) * group * dim;
  std::fill_n(out, group * dim, 0.0f);
  std::fill_n(max, group, -std::numeric_limits<float>::infinity());
  std::fill_n(sum, group, 0.0f);
  std::vector<int> limits(group);
  auto pages = [&](int block) { return d_.block_pages(pool, step.segments[0].pages, index, h, block, length); };
  AttentionBlock b{pages(0), {}, dim};
  for (int block = 1; b.now.count > 0; b.now = b.next, block++) {
    b.next = pages(block);
    std::fill(limits.begin(), limits.end(), b.now.count);
    k_.attend(b, p.queries.data(), group, limits.data(), part, dim, part_max, part_sum, p.attention.data());
    for (int i = 0; i < group; i++)
      k_.join(out + i * dim, max + i, sum + i, part + i * dim, part_max[i], part_sum[i], dim);
  }
  for (int i = 0; i < group * dim; i++) out[i] /= sum[i / dim];
}

void OneRow::head(const Step& step, Private& p, int tid) {
  const Matrix& m = d_.weights.head;
  p.input.quantize(k_, m, p.norm.data(), 0, m.inputs, 0);
  const Activations a = p.input.row(0, d_.dense_);
  if (step.head == Head::screened && d_.screen_ && d_.screen_->run(d_.threads_, a, p.norm.data(), step.logits, tid))
    return;
  exact_head(step, a, p, tid);
}

void OneRow::exact_head(const Step& step, const Activations& a, Private& p, int tid) {
  const Matrix& m = d_.weights.head;
  const Range panels = share(static_cast<int>(m.panels.size()), tid, c_.threads);
  for (int i = panels.begin; i < panels.end; i++) {
    k_.gemv(m, i, 0, a, i + 1 < panels.end ? item(m, i + 1) : Upcoming{}, p.out.data(), p.blk.data());
    const int at = m.panels[i].first_unit * kUnit;
    std::copy_n(p.out.data(), std::min(m.panels[i].units * kUnit, c_.vocab - at), step.logits + at);
  }
}

}  // namespace midline
