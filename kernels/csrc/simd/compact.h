// Compaction of survivor lists, for instruction sets without a compress instruction.
#pragma once
#include <cstdint>

namespace midline {

// Compacts 16 codes to those that are not zero, with first + their position; returns their number. Writes up to 16
// entries.
inline int compact16(const int8_t* q, int first, int8_t* to, uint16_t* index) {
  int n = 0;
  for (int i = 0; i < 16; i++) {
    to[n] = q[i], index[n] = static_cast<uint16_t>(first + i);
    n += q[i] != 0;
  }
  return n;
}

}  // namespace midline
