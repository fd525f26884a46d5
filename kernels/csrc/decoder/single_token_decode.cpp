#include "decoder/single_token_decode.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "decoder/layer_schedule.h"
#include "decoder/product_plan.h"
#include "decoder/screened_head.h"

namespace midline {
namespace {

// y[n] = outputs [begin, begin + n) of a product, its chunks summed in order.
void sum_chunks(const Kernels& k, const Matrix& m, const std::vector<float>& chunks, int begin, int n, float* y) {
  std::copy_n(chunks.data() + begin, n, y);
  for (int c = 1; c < m.chunk_count(); c++) k.add(y, chunks.data() + static_cast<size_t>(c) * m.outputs() + begin, n);
}

}  // namespace

// Every thread computes the residual stream x and the norms for itself, which costs less than a barrier. Products and
// attention are split among the threads, with one barrier after each.
class SingleTokenDecode::Worker {
 public:
  Worker(SingleTokenDecode& all, uint16_t* kv_pool, const Step& step, int tid)
      : all_(all),
        d_(all.d_),
        c_(d_.config),
        k_(d_.k_),
        cache_(c_, kv_pool),
        step_(step),
        s_(all.scratch_[tid]),
        tid_(tid) {}

  void embed();
  void begin_layer(int layer);
  void norm(const float* weight, const Matrix& reader);
  bool cancelled() const { return all_.cancelled_; }
  void qkv(const Matrix& m, const Matrix& next) { product(m, thresholds_.qkv, s_.norm.data(), all_.qkv_, next); }
  void rope_and_store();
  void attention();
  void out(const Matrix& m, const Matrix& next);
  void gate_up(const Matrix& m, const Matrix& next) {
    product(m, thresholds_.gate_up, s_.norm.data(), all_.gate_up_, next);
  }
  void down(const Matrix& m, const Matrix& next);
  void head(const float* output_norm, const Matrix& m);

 private:
  struct Residual {  // a product that is still to be added to x
    const Matrix* m = nullptr;
    const std::vector<float>* chunks = nullptr;
  };
  void barrier() { d_.threads_.barrier(); }
  const Layer& layer() const { return d_.weights.layers[layer_]; }
  float* queries(int kv_head) { return s_.queries.data() + kv_head * c_.queries_per_kv_head() * c_.head_dim; }
  void product(const Matrix& m, const float* threshold, const float* x, std::vector<float>& chunks, const Matrix& next);
  void multiply(const Matrix& m, const Activations& a, std::vector<float>& chunks, const Matrix& next);
  void project(int begin, int n, float* y) const;
  void attend(int kv_head);
  void exact_head(const Matrix& m, const Activations& a);

  SingleTokenDecode& all_;
  Decoder& d_;
  const DecoderConfig& c_;
  const Kernels& k_;
  const KvCache cache_;
  const Step& step_;
  Scratch& s_;
  const int tid_;
  int layer_ = 0;
  LayerThresholds thresholds_{};
  Residual residual_;
};

SingleTokenDecode::SingleTokenDecode(Decoder& d) : d_(d), scratch_(d.config.threads) {
  const DecoderConfig& c = d.config;
  auto grow = [](std::vector<float>& v, const Matrix& m) {
    v.resize(std::max(v.size(), static_cast<size_t>(m.outputs()) * m.chunk_count()));
  };
  size_t panel = kUnit, widest = padded(c.hidden) + 2 * static_cast<size_t>(kUnit);
  for (const Layer& l : d.weights.layers) {
    grow(qkv_, l.qkv), grow(out_, l.out), grow(gate_up_, l.gate_up), grow(down_, l.down);
    widest = std::max({widest, static_cast<size_t>(l.out.outputs()), static_cast<size_t>(l.down.outputs())});
    for (const Matrix* m : {&l.qkv, &l.out, &l.gate_up, &l.down})
      for (const Panel& p : m->panels) panel = std::max(panel, static_cast<size_t>(p.units) * kUnit);
  }
  const size_t heads = static_cast<size_t>(c.heads) * c.head_dim;
  attended_.resize(heads);
  for (Scratch& s : scratch_) {
    s.x.resize(c.width), s.norm.resize(c.width), s.wide.resize(widest);
    s.out.resize(panel), s.blk.resize(panel);
    s.angles.resize(c.head_dim), s.queries.resize(heads), s.key_value.resize(2 * static_cast<size_t>(c.head_dim));
    s.input.reserve(1, std::max({c.width, c.heads * c.head_dim, c.hidden}), true);
    s.attention.resize(attention_scratch_bytes(c.head_dim) + 4096 + sizeof(float) * c.heads * (2 * c.head_dim + 2));
  }
}

bool SingleTokenDecode::run(uint16_t* kv_pool, const Step& step) {
  cancelled_ = false;
  d_.threads_.run([&](int tid) {
    Worker worker(*this, kv_pool, step, tid);
    run_layer_schedule(d_.weights, worker);
  });
  return !cancelled_;
}

void SingleTokenDecode::Worker::embed() {
  d_.embed(step_.tokens[0], s_.x.data());
  d_.rope_.angles(step_.segments[0].start, s_.angles.data());
}

void SingleTokenDecode::Worker::begin_layer(int layer) {
  const Segment& s = step_.segments[0];
  layer_ = layer;
  if (step_.thresholds && s.start >= s.sparse_from) thresholds_ = (*step_.thresholds)[layer];
  if (tid_ == 0 && d_.cancelled(step_)) all_.cancelled_ = true;
}

void SingleTokenDecode::Worker::norm(const float* weight, const Matrix&) {
  if (residual_.m) {
    sum_chunks(k_, *residual_.m, *residual_.chunks, 0, residual_.m->outputs(), s_.wide.data());
    k_.add(s_.x.data(), s_.wide.data(), c_.width);
  }
  k_.rms_norm(s_.x.data(), weight, c_.width, c_.eps, s_.norm.data());
}

void SingleTokenDecode::Worker::product(const Matrix& m, const float* threshold, const float* x,
                                        std::vector<float>& chunks, const Matrix& next) {
  if (threshold) s_.input.sparsify(k_, m, threshold, x, 0, m.inputs);
  else s_.input.quantize(k_, m, x, 0, m.inputs, 0);
  multiply(m, threshold ? s_.input.survivors() : s_.input.row(0, d_.dense_), chunks, next);
  barrier();
}

// Multiplies this thread's items of `m`, each while prefetching the next one; after the last, the thread's first item
// of `next`.
void SingleTokenDecode::Worker::multiply(const Matrix& m, const Activations& a, std::vector<float>& chunks,
                                         const Matrix& next) {
  const Range items = share(m.items(), tid_, c_.threads);
  for (int i = items.begin; i < items.end; i++) {
    const Upcoming upcoming =
        i + 1 < items.end ? item(m, i + 1) : item(next, share(next.items(), tid_, c_.threads).begin);
    const auto [_, panel, chunk] = item(m, i);
    float* out = chunks.data() + static_cast<size_t>(chunk) * m.outputs() + m.panels[panel].first_unit * kUnit;
    k_.gemv(m, panel, chunk, a, upcoming, out, s_.blk.data());
  }
}

// Outputs [begin, begin + n) of the product with Wqkv.
void SingleTokenDecode::Worker::project(int begin, int n, float* y) const {
  sum_chunks(k_, layer().qkv, all_.qkv_, begin, n, y);
  if (layer().qkv_bias) k_.add(y, layer().qkv_bias + begin, n);
}

void SingleTokenDecode::Worker::rope_and_store() {
  const int dim = c_.head_dim, group = c_.queries_per_kv_head();
  const int k_at = static_cast<int>(padded(c_.heads * dim)), v_at = k_at + static_cast<int>(padded(c_.kv_heads * dim));
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  for (int h = tid_; h < c_.kv_heads; h += c_.threads) {
    float *q = queries(h), *key = s_.key_value.data(), *value = key + dim;
    project(h * group * dim, group * dim, q);
    project(k_at + h * dim, dim, key);
    project(v_at + h * dim, dim, value);
    for (int i = 0; i < group; i++) d_.rope_.rotate(q + i * dim, s_.angles.data());
    d_.rope_.rotate(key, s_.angles.data());
    for (int i = 0; i < group * dim; i++) q[i] *= scale;
    cache_.store(step_.segments[0].pages, step_.segments[0].start, layer_, h, key, value);
  }
}

void SingleTokenDecode::Worker::attention() {
  for (int h = tid_; h < c_.kv_heads; h += c_.threads) attend(h);
  barrier();
}

// The queries of one KV head; blocks of keys are joined in order by the online softmax.
void SingleTokenDecode::Worker::attend(int h) {
  const int dim = c_.head_dim, group = c_.queries_per_kv_head(), length = step_.segments[0].start + 1;
  float* part = reinterpret_cast<float*>(s_.attention.data() + attention_scratch_bytes(dim));
  float *max = part + group * dim, *sum = max + group, *part_max = sum + group, *part_sum = part_max + group;
  float* out = all_.attended_.data() + static_cast<size_t>(h) * group * dim;
  std::fill_n(out, group * dim, 0.0f);
  std::fill_n(max, group, -std::numeric_limits<float>::infinity());
  std::fill_n(sum, group, 0.0f);
  std::vector<int> limits(group);
  auto pages = [&](int block) { return cache_.block(step_.segments[0].pages, layer_, h, block, length); };
  AttentionBlock b{pages(0), {}, dim};
  for (int block = 1; b.now.count > 0; b.now = b.next, block++) {
    b.next = pages(block);
    std::fill(limits.begin(), limits.end(), b.now.count);
    k_.attend(b, queries(h), group, limits.data(), part, dim, part_max, part_sum, s_.attention.data());
    for (int i = 0; i < group; i++)
      k_.join(out + i * dim, max + i, sum + i, part + i * dim, part_max[i], part_sum[i], dim);
  }
  for (int i = 0; i < group * dim; i++) out[i] /= sum[i / dim];
}

void SingleTokenDecode::Worker::out(const Matrix& m, const Matrix& next) {
  product(m, thresholds_.out, all_.attended_.data(), all_.out_, next);
  residual_ = {&m, &all_.out_};
}

// SwiGLU of the channels that this thread's chunks read, then the product.
void SingleTokenDecode::Worker::down(const Matrix& m, const Matrix& next) {
  const Range items = share(m.items(), tid_, c_.threads);
  int first = m.superblocks(), last = 0;
  for (int i = items.begin; i < items.end; i++) {
    const int chunk = i % m.chunk_count();
    first = std::min(first, m.chunks[chunk]), last = std::max(last, m.chunks[chunk + 1]);
  }
  const int begin = first * kSuper, end = std::min(last * kSuper, m.inputs);
  float *h = s_.wide.data(), *pair = h + padded(c_.hidden);
  for (int unit = begin / kUnit; unit * kUnit < end; unit++) {
    sum_chunks(k_, layer().gate_up, all_.gate_up_, 2 * unit * kUnit, 2 * kUnit, pair);
    k_.swiglu(pair, pair + kUnit, kUnit, h + unit * kUnit);
  }
  const float* threshold = thresholds_.down;
  if (begin < end) {
    if (threshold) s_.input.sparsify(k_, m, threshold + begin, h + begin, begin, end - begin);
    else s_.input.quantize(k_, m, h + begin, begin, end - begin, 0);
    multiply(m, threshold ? s_.input.survivors() : s_.input.row(0, d_.dense_), all_.down_, next);
  }
  barrier();
  residual_ = {&m, &all_.down_};
}

void SingleTokenDecode::Worker::head(const float* output_norm, const Matrix& m) {
  norm(output_norm, m);
  const float* x = s_.norm.data();
  s_.input.quantize(k_, m, x, 0, m.inputs, 0);
  const Activations a = s_.input.row(0, d_.dense_);
  const bool screened = step_.head == Head::screened && d_.screen_;
  if (screened && d_.screen_->run(d_.threads_, a, x, step_.logits, tid_)) return;
  exact_head(m, a);
}

void SingleTokenDecode::Worker::exact_head(const Matrix& m, const Activations& a) {
  const Range panels = share(static_cast<int>(m.panels.size()), tid_, c_.threads);
  for (int i = panels.begin; i < panels.end; i++) {
    k_.gemv(m, i, 0, a, i + 1 < panels.end ? item(m, i + 1) : Upcoming{}, s_.out.data(), s_.blk.data());
    const int at = m.panels[i].first_unit * kUnit;
    std::copy_n(s_.out.data(), std::min(m.panels[i].units * kUnit, c_.vocab - at), step_.logits + at);
  }
}

}  // namespace midline
