// Primitives on "vectors" of one float, with which the scalar set includes the norms, TEAL and attention of simd/*.inc.
// Its products, screen and dot chains are written out in scalar/products.cpp, as the reference.
#pragma once
#include <cmath>
#include <cstdint>

#include "packing/half.h"
#include "simd/compact.h"

#define MIDLINE_ISA scalar

namespace midline::scalar {

using vi = int;
using vf = float;
constexpr int W = 1, VB = 4;
constexpr bool kFolds = true;
constexpr int kAttendQ = 6, kFewQueries = 8;

inline void prefetch(const void*) {}
inline vi splat(int x) { return x; }
inline vf zero() { return 0.0f; }
inline vf loadf(const float* p) { return *p; }
inline void storef(float* p, vf v) { *p = v; }
inline vf splatf(float x) { return x; }
inline vf load_half_vec(const void* p) { return load_half(p); }
inline vf fma(vf a, vf b, vf c) { return std::fma(a, b, c); }
inline vf mul(vf a, vf b) { return a * b; }
inline vf addf(vf a, vf b) { return a + b; }
inline vf subf(vf a, vf b) { return a - b; }
inline vf divf(vf a, vf b) { return a / b; }
inline vf maxf(vf a, vf b) { return a > b ? a : b; }
inline vf minf(vf a, vf b) { return a < b ? a : b; }
inline vf absf(vf a) { return std::fabs(a); }
inline vf keep_above(vf x, vf t) { return std::fabs(x) <= t ? 0.0f : x; }
inline vf roundf_even(vf a) { return std::nearbyint(a); }
inline vf scale_pow2(vf a, vf n) { return std::ldexp(a, static_cast<int>(n)); }
inline float reduce_add(vf a) { return a; }
inline float reduce_max(vf a) { return a; }
inline int reduce_add_i(vi a) { return a; }
inline vi round_to_int(vf a) { return static_cast<int>(std::nearbyint(a)); }
inline vi add_i(vi a, vi b) { return a + b; }
inline void store_i8(int8_t* p, vi v) { *p = static_cast<int8_t>(v); }

inline void sum_pair16(const int8_t* q, int* sums) {
  sums[0] = sums[1] = 0;
  for (int i = 0; i < 32; i++) sums[i / 16] += q[i];
}

}  // namespace midline::scalar
