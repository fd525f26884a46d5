#include "packing/screen.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "packing/half.h"

namespace midline {
namespace {

int code_of(float w, float d) { return std::clamp(static_cast<int>(std::floor(w / (2.0f * d) + 2.0f)), 0, 3); }

// The step with the least squared error, by alternating between the codes of a step and the best step for the codes.
float fit_step(const float* w) {
  float energy = 0.0f;
  for (int i = 0; i < kScreenGroup; i++) energy += w[i] * w[i];
  if (energy == 0.0f) return 0.0f;
  float d = 0.5f * std::sqrt(energy / kScreenGroup);  // the best step for a normal distribution is near 0.498 sigma
  for (int pass = 0; pass < 6; pass++) {
    float num = 0.0f, den = 0.0f;
    for (int i = 0; i < kScreenGroup; i++) {
      const float level = static_cast<float>(2 * code_of(w[i], d) - 3);
      num += level * w[i], den += level * level;
    }
    d = num / den;
  }
  return d;
}

}  // namespace

void pack_screen(const float* weights, int rows, int inputs, uint8_t* out) {
  std::memset(out, 0, screen_unit_bytes(inputs));
  for (int o = 0; o < rows; o++) {
    uint8_t* block = out;
    for (int b = 0; b < inputs / kScreenGroup; b++, block += kScreenBlockBytes) {
      const float* w = weights + static_cast<size_t>(o) * inputs + b * kScreenGroup;
      const uint16_t half = float_to_half(fit_step(w));
      const float d = half_to_float(half);
      std::memcpy(block + kScreenGroup / 4 * 128 + 2 * o, &half, 2);
      for (int c = 0; c < kScreenGroup; c++) {
        const int code = d > 0.0f ? code_of(w[c], d) : 0;
        uint8_t& byte = block[c / 4 * 128 + o / 64 * 64 + o % 16 * 4 + c % 4];
        byte = static_cast<uint8_t>(byte | code << (o % 64 / 16 * 2));
      }
    }
  }
}

}  // namespace midline
