// Packing and unpacking of one unit; the format is in packing/layout.h.
#pragma once
#include "packing/layout.h"

namespace midline {

// Packs `row_count` <= 128 consecutive GGUF rows as unit `unit` of the matrix whose bytes start at `out`; outputs
// beyond row_count become zero weights.
void pack_unit(const Matrix& m, int unit, const uint8_t* rows, int row_count, uint8_t* out);

// Dequantizes one unit and superblock to w[channels][128]; for the debug path and for tests.
void unpack_weights(const Matrix& m, int unit, int sb, float* w);

// One output's unsigned code in a unit's run.
inline int unit_code(int t, const uint8_t* unit, int o) {
  const int v = o / 16, lane = o % 16, at = lane / 4 * 16 + v % 4 * 4 + lane % 4;
  if (t == Q8_0) return unit[v / 4 * 64 + at];
  int code = unit[at] >> (v / 4 * 4) & 15;
  if (t == Q5_0) code |= (unit[64 + lane] >> v & 1) << 4;
  if (t == Q6_K) code |= (unit[64 + v / 4 * 16 + lane] >> (v % 4 * 2) & 3) << 4;
  return code;
}

}  // namespace midline
