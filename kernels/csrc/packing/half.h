// IEEE half precision without hardware support: exact widening, round-to-nearest-even narrowing.
#pragma once
#include <cstdint>
#include <cstring>

namespace midline {

inline float half_to_float(uint16_t h) {
  uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, exp = (h >> 10) & 31, man = h & 1023, bits;
  if (exp == 31) {
    bits = sign | 0x7f800000 | (man << 13);
  } else if (exp) {
    bits = sign | ((exp + 112) << 23) | (man << 13);
  } else {  // zero or subnormal: man * 2^-24 is exact in float
    float f = static_cast<float>(man) * 5.9604644775390625e-8f;
    std::memcpy(&bits, &f, 4);
    bits |= sign;
  }
  float out;
  std::memcpy(&out, &bits, 4);
  return out;
}

inline uint16_t float_to_half(float f) {
  uint32_t x;
  std::memcpy(&x, &f, 4);
  uint32_t sign = (x >> 16) & 0x8000;
  x &= 0x7fffffff;
  if (x >= 0x7f800000) return static_cast<uint16_t>(sign | 0x7c00 | (x > 0x7f800000 ? 0x200 : 0));
  if (x >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);
  if (x < 0x38800000) {  // subnormal half: adding 0.5 aligns the mantissa, the hardware rounds
    float a;
    std::memcpy(&a, &x, 4);
    a += 0.5f;
    uint32_t y;
    std::memcpy(&y, &a, 4);
    return static_cast<uint16_t>(sign | (y - 0x3f000000));
  }
  x += 0xc8000fff + ((x >> 13) & 1);
  return static_cast<uint16_t>(sign | (x >> 13));
}

inline float load_half(const void* p) {
  uint16_t h;
  std::memcpy(&h, p, 2);
  return half_to_float(h);
}

}  // namespace midline
