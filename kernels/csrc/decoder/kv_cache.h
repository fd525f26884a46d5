// Addresses in the paged KV cache. A page holds kPageTokens positions of one sequence; a sequence's page table lists
// its pages in order, and several sequences may list the same page (a shared prompt).
#pragma once
#include <cstddef>
#include <cstdint>

#include "decoder/config.h"
#include "kernels.h"

namespace midline {

class KvCache {
 public:
  // pool: pages one after the other, page_halves(c) f16 numbers each: for every layer the keys of all KV heads,
  // transposed [kv_heads][head_dim][kPageTokens], then their values [kv_heads][kPageTokens][head_dim].
  KvCache(const DecoderConfig& c, uint16_t* pool) : c_(c), pool_(pool) {}

  static size_t page_halves(const DecoderConfig& c) {
    return static_cast<size_t>(c.layers) * 2 * c.kv_heads * c.head_dim * kPageTokens;
  }
  // The pages of attention block `block`, of a sequence of `length` positions; count is 0 beyond its end.
  BlockPages block(const int* page_table, int layer, int kv_head, int block, int length) const;
  // Writes one position's key and value [head_dim], rounded to f16.
  void store(const int* page_table, int position, int layer, int kv_head, const float* key, const float* value) const;

 private:
  uint16_t* keys(int page, int layer, int kv_head) const;
  uint16_t* values(int page, int layer, int kv_head) const;

  const DecoderConfig& c_;
  uint16_t* pool_;
};

}  // namespace midline
