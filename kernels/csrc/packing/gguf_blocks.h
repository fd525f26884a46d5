// Decoding of the block formats of GGUF, one block at a time: the stored codes and scales, and the weights.
// Source: ggml's quantization formats (ggml-common.h); see also kernels/reference.py, which the tests compare with.
#pragma once
#include "packing/half.h"
#include "packing/layout.h"

namespace midline {

struct KScale {
  uint8_t scale, min;
};

// The 6-bit scale and minimum of group j (0..7) of a Q4_K block's 12 packed bytes.
inline KScale q4k_scale(const uint8_t* s, int j) {
  if (j < 4) return {static_cast<uint8_t>(s[j] & 63), static_cast<uint8_t>(s[j + 4] & 63)};
  return {static_cast<uint8_t>((s[j + 4] & 15) | ((s[j - 4] >> 6) << 4)),
          static_cast<uint8_t>((s[j + 4] >> 4) | ((s[j] >> 6) << 4))};
}

// Unsigned codes of one block (see zero_point); `codes` has block_inputs(t) entries.
inline void block_codes(int t, const uint8_t* b, uint8_t* codes) {
  switch (t) {
    case Q4_0:
    case Q4_1: {
      const uint8_t* q = b + (t == Q4_0 ? 2 : 4);
      for (int i = 0; i < 16; i++) codes[i] = q[i] & 15, codes[i + 16] = q[i] >> 4;
      break;
    }
    case Q5_0: {
      uint32_t high;
      std::memcpy(&high, b + 2, 4);
      const uint8_t* q = b + 6;
      for (int i = 0; i < 16; i++) {
        codes[i] = static_cast<uint8_t>((q[i] & 15) | (((high >> i) & 1) << 4));
        codes[i + 16] = static_cast<uint8_t>((q[i] >> 4) | (((high >> (i + 16)) & 1) << 4));
      }
      break;
    }
    case Q8_0:
      for (int i = 0; i < 32; i++) codes[i] = b[2 + i] ^ 0x80;
      break;
    case Q4_K: {
      const uint8_t* q = b + 16;
      for (int i = 0; i < 256; i++) codes[i] = (q[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4)) & 15;
      break;
    }
    case Q6_K: {
      const uint8_t *low = b, *high = b + 128;
      for (int i = 0; i < 256; i++) {
        int half = i / 128, r = i % 128, part = r / 32, l = r % 32;
        int nibble = low[half * 64 + (part & 1) * 32 + l] >> (part / 2 * 4) & 15;
        codes[i] = static_cast<uint8_t>(nibble | ((high[half * 32 + l] >> (2 * part)) & 3) << 4);
      }
      break;
    }
  }
}

// The float weights of one block (block_inputs(t) entries).
inline void block_weights(int t, const uint8_t* b, float* w) {
  if (t == F32) {
    std::memcpy(w, b, 4);
    return;
  }
  if (t == F16) {
    *w = load_half(b);
    return;
  }
  uint8_t codes[256];
  block_codes(t, b, codes);
  const int n = block_inputs(t), zero = zero_point(t);
  if (t == Q4_K) {
    float d = load_half(b), dmin = load_half(b + 2);
    for (int i = 0; i < n; i++) {
      KScale s = q4k_scale(b + 4, i / 32);
      w[i] = d * s.scale * codes[i] - dmin * s.min;
    }
  } else if (t == Q6_K) {
    float d = load_half(b + 208);
    for (int i = 0; i < n; i++) w[i] = d * static_cast<int8_t>(b[192 + i / 16]) * (codes[i] - zero);
  } else {
    float d = load_half(b), m = t == Q4_1 ? load_half(b + 2) : 0.0f;
    for (int i = 0; i < n; i++) w[i] = d * static_cast<float>(codes[i] - zero) + m;
  }
}

inline size_t row_bytes(int t, int inputs) { return static_cast<size_t>(inputs / block_inputs(t)) * block_bytes(t); }

// One row of a row-major GGUF tensor as floats.
inline void row_weights(int t, const uint8_t* row, int inputs, float* w) {
  for (int i = 0; i < inputs; i += block_inputs(t), row += block_bytes(t)) block_weights(t, row, w + i);
}

}  // namespace midline
