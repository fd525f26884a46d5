// The screen of the output matrix: weights rounded to 2 bits, w ~ d * (2c - 3) with c in 0..3 and one f16 d per output
// and 64 inputs (2.25 bits a weight). Per unit of 128 outputs, for each 64 inputs:
//   [16 quads of channels][2 halves][16 lanes][4 channels] one byte each, holding four codes: bits 2f..2f+1 belong to
//   output 64 * half + 16 * f + lane;  then f16 d[128].
#pragma once
#include "packing/layout.h"

namespace midline {

constexpr int kScreenGroup = 64;
constexpr int kScreenBlockBytes = kScreenGroup / 4 * 128 + kUnit * 2;
constexpr int kScreenAhead = 4 * kScreenBlockBytes;  // prefetch distance

constexpr size_t screen_unit_bytes(int inputs) {
  return static_cast<size_t>(inputs / kScreenGroup) * kScreenBlockBytes;
}

// Rounds `rows` <= 128 float rows of `inputs` weights to one screen unit.
void pack_screen(const float* weights, int rows, int inputs, uint8_t* out);

}  // namespace midline
