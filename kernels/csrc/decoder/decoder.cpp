#include "decoder/decoder.h"

#include <algorithm>
#include <cmath>

#include "decoder/prefill_and_batched_decode.h"
#include "decoder/single_token_decode.h"
#include "packing/gguf_blocks.h"
#include "decoder/screened_head.h"

namespace midline {

void RowBuffer::reserve(int rows, int inputs, bool with_float) {
  stride = (inputs + kSuper - 1) / kSuper * kSuper;
  const size_t n = static_cast<size_t>(rows) * stride;
  q.resize(n), sum32.resize(n / kGroup), sum16.resize(n / 16), scale32.resize(n / kGroup), scale256.resize(n / kSuper);
  x.resize(with_float ? n : 0);
}

void RowBuffer::quantize(const Kernels& k, const Matrix& m, const float* input, int begin, int n, int row) {
  const size_t at = static_cast<size_t>(row) * stride + begin;
  float *per32 = scale32.data() + at / kGroup, *per256 = scale256.data() + at / kSuper;
  if (m.needs_q32 || m.needs_q256)
    k.quantize(input, n, m.needs_q256 ? kSuper : kGroup, q.data() + at, m.needs_q256 ? per256 : per32,
               sum32.data() + at / kGroup, sum16.data() + at / 16);
  if (m.needs_q32 && m.needs_q256)
    for (int g = 0; g < n / kGroup; g++) per32[g] = per256[g * kGroup / kSuper];
  if (!x.empty()) std::copy(input, input + n, x.begin() + static_cast<std::ptrdiff_t>(at));
}

void RowBuffer::sparsify(const Kernels& k, const Matrix& m, const float* threshold, const float* input, int begin,
                         int n) {
  if (kept.empty())
    kept.resize(stride + kListSlack), index.resize(stride + kListSlack), start.resize(stride / kGroup + 1),
        middle.resize(stride / kGroup), masked.resize(stride);
  const int group = begin / kGroup, block = m.needs_q256 ? kSuper : kGroup;
  float *per32 = scale32.data() + group, *per256 = scale256.data() + begin / kSuper;
  k.sparsify(input, threshold, n, block, m.has_halves,
             {kept.data(), index.data(), start.data() + group, middle.data() + group, m.needs_q256 ? per256 : per32,
              sum32.data() + group, sum16.data() + begin / 16, masked.data() + begin});
  if (m.needs_q32 && m.needs_q256)
    for (int g = 0; g < n / kGroup; g++) per32[g] = per256[g * kGroup / kSuper];
}

Activations RowBuffer::survivors() const {
  return {kept.data(),  index.data(),   start.data(),    middle.data(), sum32.data(),
          sum16.data(), scale32.data(), scale256.data(), masked.data(), false};
}

Rows RowBuffer::view(int rows) const {
  return {q.data(), sum32.data(), sum16.data(), scale32.data(), scale256.data(), x.empty() ? nullptr : x.data(),
          rows,     stride};
}

Activations RowBuffer::row(int r, const DensePattern& d) const {
  const size_t at = static_cast<size_t>(r) * stride;
  return {q.data() + at,
          d.index.data(),
          d.start.data(),
          d.middle.data(),
          sum32.data() + at / kGroup,
          sum16.data() + at / 16,
          scale32.data() + at / kGroup,
          scale256.data() + at / kSuper,
          x.empty() ? nullptr : x.data() + at,
          true};
}

DensePattern::DensePattern(int inputs) : index(inputs), start(inputs / kGroup + 1), middle(inputs / kGroup) {
  for (int i = 0; i < inputs; i++) index[i] = static_cast<uint16_t>(i % kSuper);
  for (int g = 0; g < inputs / kGroup; g++) start[g + 1] = (g + 1) * kGroup, middle[g] = g * kGroup + 16;
}

namespace {

int longest_input(const DecoderConfig& c) {
  return (std::max({c.width, c.hidden, c.heads * c.head_dim}) + kSuper - 1) / kSuper * kSuper;
}

}  // namespace

Decoder::Decoder(const DecoderConfig& c, Weights w)
    : config(c), weights(std::move(w)), k_(kernels()), threads_(c.threads), dense_(longest_input(c)) {
  for (int i = 0; i < c.head_dim / 2; i++)
    rope_.push_back(static_cast<float>(std::pow(static_cast<double>(c.rope_base), -2.0 * i / c.head_dim)));
  float_weights_ = weights.head.needs_float;
  for (const Layer& l : weights.layers)
    for (const Matrix* m : {&l.qkv, &l.out, &l.gate_up, &l.down}) float_weights_ |= m->needs_float;
  if (weights.screen) screen_ = std::make_unique<HeadScreen>(weights.head, weights.screen, k_, c.vocab, c.threads);
  one_ = std::make_unique<OneRow>(*this);
  many_ = std::make_unique<ManyRows>(*this);
}

Decoder::~Decoder() = default;

bool Decoder::run(uint16_t* pool, const Step& step) {
  int rows = 0;
  for (const Segment& s : step.segments) rows += s.rows;
  if (rows == 1 && !step.float_activations && step.head != Head::none && !step.tap) return one_->run(pool, step);
  return many_->run(pool, step, rows);
}

void Decoder::embed(int token, float* x) const {
  const Embedding& e = weights.embedding;
  row_weights(e.type, e.rows + static_cast<size_t>(token) * e.row_bytes, config.width, x);
}

void Decoder::angles(int position, float* cos_sin) const {
  const int half = config.head_dim / 2;
  for (int i = 0; i < half; i++) {
    const float angle = static_cast<float>(position) * rope_[i];
    cos_sin[i] = std::cos(angle), cos_sin[half + i] = std::sin(angle);
  }
}

// Rotary position embedding (arXiv 2104.09864) in place.
void Decoder::rotate(float* head, const float* cos_sin) const {
  const int half = config.head_dim / 2, step = config.rope_interleaved ? 2 : 1,
            other = config.rope_interleaved ? 1 : half;
  for (int i = 0; i < half; i++) {
    float &a = head[step * i], &b = head[step * i + other];
    const float x = a, y = b, c = cos_sin[i], s = cos_sin[half + i];
    a = x * c - y * s, b = x * s + y * c;
  }
}

uint16_t* Decoder::keys(uint16_t* pool, int page, int layer, int kv_head) const {
  const size_t head = static_cast<size_t>(config.head_dim) * kPageTokens;
  return pool + page * page_halves() + (static_cast<size_t>(layer) * 2 * config.kv_heads + kv_head) * head;
}

uint16_t* Decoder::values(uint16_t* pool, int page, int layer, int kv_head) const {
  return keys(pool, page, layer, kv_head) + static_cast<size_t>(config.kv_heads) * config.head_dim * kPageTokens;
}

BlockPages Decoder::block_pages(uint16_t* pool, const int* pages, int layer, int kv_head, int block, int length) const {
  BlockPages b{};
  b.count = std::clamp(length - block * kBlockTokens, 0, kBlockTokens);
  for (int i = 0; i < b.pages(); i++) {
    const int page = pages[block * (kBlockTokens / kPageTokens) + i];
    b.keys[i] = keys(pool, page, layer, kv_head), b.values[i] = values(pool, page, layer, kv_head);
  }
  return b;
}

void Decoder::store_kv(uint16_t* pool, const int* pages, int position, int layer, int kv_head, const float* k,
                       const float* v) const {
  const int page = pages[position / kPageTokens], slot = position % kPageTokens;
  uint16_t* key = keys(pool, page, layer, kv_head);
  uint16_t* value = values(pool, page, layer, kv_head) + static_cast<size_t>(slot) * config.head_dim;
  for (int d = 0; d < config.head_dim; d++)
    key[d * kPageTokens + slot] = float_to_half(k[d]), value[d] = float_to_half(v[d]);
}

}  // namespace midline
