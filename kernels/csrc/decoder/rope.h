// Rotary position embedding (RoPE, arXiv 2104.09864).
#pragma once
#include <vector>

#include "decoder/config.h"

namespace midline {

class Rope {
 public:
  explicit Rope(const DecoderConfig& c);
  // cos_sin[head_dim]: the cosines of a position's head_dim / 2 angles, then their sines.
  void angles(int position, float* cos_sin) const;
  // Rotates one head's query or key [head_dim] in place.
  void rotate(float* head, const float* cos_sin) const;

 private:
  const bool interleaved_;
  std::vector<float> frequencies_;  // [head_dim / 2]
};

}  // namespace midline
