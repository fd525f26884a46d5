#include "decoder/rope.h"

#include <cmath>

namespace midline {

Rope::Rope(const DecoderConfig& c) : interleaved_(c.rope_interleaved) {
  for (int i = 0; i < c.head_dim / 2; i++)
    frequencies_.push_back(static_cast<float>(std::pow(static_cast<double>(c.rope_base), -2.0 * i / c.head_dim)));
}

void Rope::angles(int position, float* cos_sin) const {
  const int half = static_cast<int>(frequencies_.size());
  for (int i = 0; i < half; i++) {
    const float angle = static_cast<float>(position) * frequencies_[i];
    cos_sin[i] = std::cos(angle), cos_sin[half + i] = std::sin(angle);
  }
}

void Rope::rotate(float* head, const float* cos_sin) const {
  const int half = static_cast<int>(frequencies_.size()), step = interleaved_ ? 2 : 1, other = interleaved_ ? 1 : half;
  for (int i = 0; i < half; i++) {
    float &a = head[step * i], &b = head[step * i + other];
    const float x = a, y = b, c = cos_sin[i], s = cos_sin[half + i];
    a = x * c - y * s, b = x * s + y * c;
  }
}

}  // namespace midline
