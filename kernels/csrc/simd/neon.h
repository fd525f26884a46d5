// Primitives on 128-bit vectors: AArch64's Advanced SIMD with the 8-bit dot product (Armv8.2 DotProd),
// and with the product of matrices of bytes (I8MM) when MIDLINE_I8MM is defined.
#pragma once
#include <arm_neon.h>

#include <cstdint>
#include <cstring>

#include "simd/compact.h"

#ifdef MIDLINE_I8MM
#define MIDLINE_ISA neoni8mm
#else
#define MIDLINE_ISA neon
#endif

namespace midline::MIDLINE_ISA {

using vi = int32x4_t;
using vf = float32x4_t;
constexpr int W = 4, VB = 16;
#ifdef MIDLINE_I8MM
constexpr int kGemmMR = 4;  // two pairs of rows
#else
constexpr int kGemmMR = 3;
#endif
constexpr int kGemmNV = 4, kFoldMR = 4, kAttendQ = 6, kFewQueries = 8;
constexpr bool kFolds = true;
constexpr int kSlicePad = 0;
constexpr bool kExpandBeside = false;

inline uint8x16_t bytes(vi a) { return vreinterpretq_u8_s32(a); }
inline vi from_bytes(uint8x16_t a) { return vreinterpretq_s32_u8(a); }

inline vi load(const void* p) { return from_bytes(vld1q_u8(static_cast<const uint8_t*>(p))); }
// Keeps a value in a register: a compiler that knows it to be in memory would load it again for each use.
inline void keep(vi& v) { asm("" : "+w"(v)); }
inline void store(void* p, vi v) { vst1q_u8(static_cast<uint8_t*>(p), bytes(v)); }
inline vi splat(int x) { return vdupq_n_s32(x); }
inline vi splat4(const int8_t* q) {
  int x;
  std::memcpy(&x, q, 4);
  return vdupq_n_s32(x);
}
inline vi unpacklo8(vi a, vi b) { return from_bytes(vzip1q_u8(bytes(a), bytes(b))); }
inline vi unpackhi8(vi a, vi b) { return from_bytes(vzip2q_u8(bytes(a), bytes(b))); }
inline vi unpacklo16(vi a, vi b) {
  return vreinterpretq_s32_s16(vzip1q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)));
}
inline vi unpackhi16(vi a, vi b) {
  return vreinterpretq_s32_s16(vzip2q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)));
}
inline vi and_bytes(vi a, int m) { return from_bytes(vandq_u8(bytes(a), vdupq_n_u8(static_cast<uint8_t>(m)))); }
// Bits that cross from a neighbouring byte on other instruction sets are zero here; callers mask them either way.
template <int N> inline vi right(vi a) { return from_bytes(vshrq_n_u8(bytes(a), N)); }
template <int N> inline vi left(vi a) { return from_bytes(vshlq_n_u8(bytes(a), N)); }
inline vi or_masked(vi a, vi h, int m) { return vorrq_s32(a, and_bytes(h, m)); }
// Dword j of the result holds byte j of each of four 4-byte rows.
inline vi interleave_bytes(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d) {
  uint32_t row[4];
  std::memcpy(row, a, 4), std::memcpy(row + 1, b, 4), std::memcpy(row + 2, c, 4), std::memcpy(row + 3, d, 4);
  const uint8x16_t order = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  return from_bytes(vqtbl1q_u8(vreinterpretq_u8_u32(vld1q_u32(row)), order));
}
inline vi dot(vi acc, vi u, vi s) {
  return vdotq_s32(acc, vreinterpretq_s8_s32(u), vreinterpretq_s8_s32(s));
}  // u <= 127
#ifdef MIDLINE_I8MM
inline vi dot_full(vi acc, vi u, vi s) { return vusdotq_s32(acc, bytes(u), vreinterpretq_s8_s32(s)); }  // u <= 255
// Products of two outputs with two rows, 8 channels each: u holds outputs 0 and 1, s rows 0 and 1, and the result is
// [output 0 row 0, output 0 row 1, output 1 row 0, output 1 row 1].
inline vi dot_matrix(vi acc, vi u, vi s) { return vusmmlaq_s32(acc, bytes(u), vreinterpretq_s8_s32(s)); }
// Two quads of four outputs, joined to 8 channels of outputs 0 and 1, and of outputs 2 and 3.
inline vi join_low(vi a, vi b) { return vzip1q_s32(a, b); }
inline vi join_high(vi a, vi b) { return vzip2q_s32(a, b); }
// Four outputs of row 0 or row 1, from the products of outputs 0 and 1 and those of outputs 2 and 3.
inline vi matrix_row(vi low, vi high, int row) { return row ? vuzp2q_s32(low, high) : vuzp1q_s32(low, high); }
inline vi two_rows(const int8_t* a, const int8_t* b) {  // 8 channels of each
  return vreinterpretq_s32_s8(vcombine_s8(vld1_s8(a), vld1_s8(b)));
}
#else
// u <= 255: the dot product is of signed bytes, so u = (u - 128) + 2 * 64; the second part is common to all products
// with s.
inline vi dot_full(vi acc, vi u, vi s) {
  const vi half = dot(splat(0), from_bytes(vdupq_n_u8(64)), s);
  return vaddq_s32(dot(acc, from_bytes(veorq_u8(bytes(u), vdupq_n_u8(128))), s), vaddq_s32(half, half));
}
#endif
inline vi dot_pairs(vi acc, vi a, vi b) {
  const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
  return vaddq_s32(acc, vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y)));
}
inline uint16x8_t load4_as_u16(const uint8_t* p) {
  uint32_t x;
  std::memcpy(&x, p, 4);
  return vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(x)));
}
inline vi widen_u8(const uint8_t* p) { return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(load4_as_u16(p)))); }
inline vi widen_i8(const uint8_t* p) {
  uint32_t x;
  std::memcpy(&x, p, 4);
  return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(x)))));
}
inline vi widen_u8_16(const uint8_t* p) { return vreinterpretq_s32_u16(vmovl_u8(vld1_u8(p))); }
inline vf to_float(vi a) { return vcvtq_f32_s32(a); }

inline vf zero() { return vdupq_n_f32(0.0f); }
inline vf loadf(const float* p) { return vld1q_f32(p); }
inline void storef(float* p, vf v) { vst1q_f32(p, v); }
inline vf splatf(float x) { return vdupq_n_f32(x); }
inline vf load_half_vec(const void* p) {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(static_cast<const uint8_t*>(p))));
}
inline vf fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
inline vf mul(vf a, vf b) { return vmulq_f32(a, b); }
inline vf addf(vf a, vf b) { return vaddq_f32(a, b); }
inline vf subf(vf a, vf b) { return vsubq_f32(a, b); }
inline vf divf(vf a, vf b) { return vdivq_f32(a, b); }
inline vf maxf(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }  // b where either is NaN, as on x86
inline vf minf(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
inline vf absf(vf a) { return vabsq_f32(a); }
inline vf keep_above(vf x, vf t) {  // 0 where |x| <= t
  return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(x), vcleq_f32(vabsq_f32(x), t)));
}
inline vf roundf_even(vf a) { return vrndnq_f32(a); }
inline vf scale_pow2(vf a, vf n) {  // n within the exponents of normal floats
  return vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), splat(127)), 23)));
}
inline float reduce_add(vf a) { return vaddvq_f32(a); }
inline float reduce_max(vf a) { return vmaxvq_f32(a); }
inline int reduce_add_i(vi a) { return vaddvq_s32(a); }
inline vi round_to_int(vf a) { return vcvtnq_s32_f32(a); }
inline vi add_i(vi a, vi b) { return vaddq_s32(a, b); }
inline void store_i8(int8_t* p, vi v) {
  const int16x4_t h = vqmovn_s32(v);
  const int8x8_t b = vqmovn_s16(vcombine_s16(h, h));
  std::memcpy(p, &b, 4);
}
// Sums of the first and of the second 16 codes.
inline void sum_pair16(const int8_t* q, int* sums) {
  sums[0] = vaddlvq_s8(vld1q_s8(q)), sums[1] = vaddlvq_s8(vld1q_s8(q + 16));
}
// W 16-bit factors, each in both halves of its lane.
inline vi pair_lanes(const int16_t* p) {
  const int16x4_t v = vld1_s16(p);
  return vreinterpretq_s32_s16(vcombine_s16(vzip1_s16(v, v), vzip2_s16(v, v)));
}
// (byte * gain + offset) >> 8 of every byte, 16-bit factors for the low and the high byte of each pair alike.
inline vi fold_bytes(vi codes, vi gain, vi offset) {
  const uint16x8_t c = vreinterpretq_u16_s32(codes), g = vreinterpretq_u16_s32(gain), o = vreinterpretq_u16_s32(offset);
  const uint16x8_t low = vmlaq_u16(o, vandq_u16(c, vdupq_n_u16(255)), g), high = vmlaq_u16(o, vshrq_n_u16(c, 8), g);
  return vreinterpretq_s32_u16(vsriq_n_u16(high, low, 8));
}
inline void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }

}  // namespace midline::MIDLINE_ISA
