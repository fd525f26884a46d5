// Compaction without compress instructions.
#pragma once
#include <cstdint>

namespace midline {

// The codes among 16 that are not zero, and first + their places; returns how many. Writes up to 16 entries.
inline int compact16(const int8_t* q, int first, int8_t* to, uint16_t* index) {
  int n = 0;
  for (int i = 0; i < 16; i++) {
    to[n] = q[i], index[n] = static_cast<uint16_t>(first + i);
    n += q[i] != 0;
  }
  return n;
}

}  // namespace midline
