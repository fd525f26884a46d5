// Sizes of a decoder-only transformer.
#pragma once

namespace midline {

struct DecoderConfig {
  int layers, width, heads, kv_heads, head_dim, hidden, vocab;
  float eps, rope_base;
  bool rope_interleaved;  // rotated pairs are (2i, 2i + 1), as in llama; otherwise (i, i + head_dim / 2), as in qwen2
  int threads;

  int queries_per_kv_head() const { return heads / kv_heads; }
};

}  // namespace midline
