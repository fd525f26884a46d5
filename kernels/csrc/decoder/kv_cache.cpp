#include "decoder/kv_cache.h"

#include <algorithm>

#include "packing/half.h"

namespace midline {

uint16_t* KvCache::keys(int page, int layer, int kv_head) const {
  const size_t head = static_cast<size_t>(c_.head_dim) * kPageTokens;
  return pool_ + page * page_halves(c_) + (static_cast<size_t>(layer) * 2 * c_.kv_heads + kv_head) * head;
}

uint16_t* KvCache::values(int page, int layer, int kv_head) const {
  return keys(page, layer, kv_head) + static_cast<size_t>(c_.kv_heads) * c_.head_dim * kPageTokens;
}

BlockPages KvCache::block(const int* page_table, int layer, int kv_head, int block, int length) const {
  BlockPages b{};
  b.count = std::clamp(length - block * kBlockTokens, 0, kBlockTokens);
  for (int i = 0; i < b.pages(); i++) {
    const int page = page_table[block * (kBlockTokens / kPageTokens) + i];
    b.keys[i] = keys(page, layer, kv_head), b.values[i] = values(page, layer, kv_head);
  }
  return b;
}

void KvCache::store(const int* page_table, int position, int layer, int kv_head, const float* key,
                    const float* value) const {
  const int page = page_table[position / kPageTokens], slot = position % kPageTokens;
  uint16_t* k = keys(page, layer, kv_head);
  uint16_t* v = values(page, layer, kv_head) + static_cast<size_t>(slot) * c_.head_dim;
  for (int d = 0; d < c_.head_dim; d++)
    k[d * kPageTokens + slot] = float_to_half(key[d]), v[d] = float_to_half(value[d]);
}

}  // namespace midline
