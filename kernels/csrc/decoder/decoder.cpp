#include "decoder/decoder.h"

#include <algorithm>

#include "decoder/prefill_and_batched_decode.h"
#include "decoder/screened_head.h"
#include "decoder/single_token_decode.h"
#include "packing/gguf_blocks.h"

namespace midline {
namespace {

int longest_input(const DecoderConfig& c) {
  return (std::max({c.width, c.hidden, c.heads * c.head_dim}) + kSuper - 1) / kSuper * kSuper;
}

}  // namespace

Decoder::Decoder(const DecoderConfig& c, Weights w)
    : config(c), weights(std::move(w)), k_(kernels()), threads_(c.threads), rope_(c), dense_(longest_input(c)) {
  float_weights_ = weights.head.needs_float;
  for (const Layer& l : weights.layers)
    for (const Matrix* m : {&l.qkv, &l.out, &l.gate_up, &l.down}) float_weights_ |= m->needs_float;
  if (weights.screen) screen_ = std::make_unique<HeadScreen>(weights.head, weights.screen, k_, c.vocab, c.threads);
  single_ = std::make_unique<SingleTokenDecode>(*this);
  batched_ = std::make_unique<PrefillAndBatchedDecode>(*this);
}

Decoder::~Decoder() = default;

bool Decoder::run(uint16_t* kv_pool, const Step& step) {
  int rows = 0;
  for (const Segment& s : step.segments) rows += s.rows;
  if (rows == 1 && !step.float_activations && step.head != Head::none && !step.matrix_inputs)
    return single_->run(kv_pool, step);
  return batched_->run(kv_pool, step, rows);
}

void Decoder::embed(int token, float* x) const {
  const Embedding& e = weights.embedding;
  row_weights(e.type, e.rows + static_cast<size_t>(token) * e.row_bytes, config.width, x);
}

}  // namespace midline
