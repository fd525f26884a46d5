// Primitives on 256-bit vectors: AVX2, FMA and F16C, with AVX-VNNI's dot product when MIDLINE_AVXVNNI is defined.
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "simd/compact.h"

#ifdef MIDLINE_AVXVNNI
#define MIDLINE_ISA avx2vnni
#else
#define MIDLINE_ISA avx2
#endif

namespace midline::MIDLINE_ISA {

using vi = __m256i;
using vf = __m256;
constexpr int W = 8, VB = 32;
constexpr int kGemmNV = 2, kAttendQ = 3, kFewQueries = 3;
constexpr int kSlicePad = 64;  // bytes between slices, which are 4 KB and would all map to the same cache sets
constexpr bool kExpandBeside = false;
#ifdef MIDLINE_AVXVNNI
constexpr bool kFolds = true;
constexpr int kGemmMR = 2, kFoldMR = 4;
#else
constexpr bool kFolds = false;  // two products of 8-bit weights overflow 16 bits
constexpr int kGemmMR = 4, kFoldMR = kGemmMR;
#endif

inline vi load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
// Keeps a value in a register: a compiler that knows it to be in memory would load it again for each use.
inline void keep(vi& v) { asm("" : "+x"(v)); }
inline void store(void* p, vi v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
inline vi splat(int x) { return _mm256_set1_epi32(x); }
inline vi splat4(const int8_t* q) {
  int x;
  std::memcpy(&x, q, 4);
  return _mm256_set1_epi32(x);
}
inline vi unpacklo8(vi a, vi b) { return _mm256_unpacklo_epi8(a, b); }
inline vi unpackhi8(vi a, vi b) { return _mm256_unpackhi_epi8(a, b); }
inline vi unpacklo16(vi a, vi b) { return _mm256_unpacklo_epi16(a, b); }
inline vi unpackhi16(vi a, vi b) { return _mm256_unpackhi_epi16(a, b); }
inline vi and_bytes(vi a, int m) { return _mm256_and_si256(a, _mm256_set1_epi8(static_cast<char>(m))); }
template <int N> inline vi right(vi a) { return _mm256_srli_epi16(a, N); }
template <int N> inline vi left(vi a) { return _mm256_slli_epi16(a, N); }
inline vi or_masked(vi a, vi h, int m) { return _mm256_or_si256(a, and_bytes(h, m)); }
// Dword j of the result holds byte j of each of four 8-byte rows.
inline vi interleave_bytes(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d) {
  auto row = [](const uint8_t* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); };
  const __m128i ab = _mm_unpacklo_epi8(row(a), row(b)), cd = _mm_unpacklo_epi8(row(c), row(d));
  return _mm256_set_m128i(_mm_unpackhi_epi16(ab, cd), _mm_unpacklo_epi16(ab, cd));
}
#ifdef MIDLINE_AVXVNNI
inline vi dot(vi acc, vi u, vi s) { return _mm256_dpbusd_avx_epi32(acc, u, s); }
inline vi dot_full(vi acc, vi u, vi s) { return _mm256_dpbusd_avx_epi32(acc, u, s); }
inline vi dot_pairs(vi acc, vi a, vi b) { return _mm256_dpwssd_avx_epi32(acc, a, b); }
// Product with 8-bit codes. Sums start at the contribution of the zero point (start_bytes).
inline vi dot_bytes(vi acc, vi u, vi s) { return dot_full(acc, u, s); }
inline vi start_bytes(int sum) { return splat(-128 * sum); }
#else
// maddubs saturates at 16 bits. A sum of two products with u <= 127 and |s| <= 127 fits; larger u are split in two.
inline vi dot(vi acc, vi u, vi s) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(u, s), _mm256_set1_epi16(1)));
}
inline vi dot_full(vi acc, vi u, vi s) {
  const vi top = _mm256_set1_epi8(static_cast<char>(0x80));
  return dot(dot(acc, _mm256_andnot_si256(top, u), s), _mm256_and_si256(top, u), s);
}
inline vi dot_pairs(vi acc, vi a, vi b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)); }
// acc += dot product of signed bytes w and s, |s| <= 127, four per lane; magnitude = |w|.
inline vi abs8(vi a) { return _mm256_abs_epi8(a); }
inline vi dot_signed(vi acc, vi magnitude, vi w, vi s) {
  const vi products = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(s, w));
  return _mm256_add_epi32(acc, _mm256_madd_epi16(products, _mm256_set1_epi16(1)));
}
inline vi flip(vi a) { return _mm256_xor_si256(a, _mm256_set1_epi8(static_cast<char>(0x80))); }
// Product with 8-bit codes less their zero point, so that sums start at zero.
inline vi dot_bytes(vi acc, vi u, vi s) { return dot_signed(acc, abs8(flip(u)), flip(u), s); }
inline vi start_bytes(int) { return splat(0); }
#endif
inline vi mul_pairs(vi a, vi b) { return _mm256_madd_epi16(a, b); }
// Product of bytes, added in pairs of channels to 16 bits; that sum saturates, those of add16 and sub16 wrap around.
inline vi mul16(vi u, vi s) { return _mm256_maddubs_epi16(u, s); }
inline vi add16(vi a, vi b) { return _mm256_add_epi16(a, b); }
inline vi sub16(vi a, vi b) { return _mm256_sub_epi16(a, b); }
inline vi widen16(vi a) { return _mm256_madd_epi16(a, _mm256_set1_epi16(1)); }  // sum of the halves of every lane
inline vi splat2(const int8_t* q) {
  int16_t x;
  std::memcpy(&x, q, 2);
  return _mm256_set1_epi16(x);
}
// Interleaves 8 bytes of each of two rows and repeats each four pairs: 128-bit lane 0 holds pairs 0..3 twice, lane 1
// pairs 4..7.
inline vi pair_bits(const uint8_t* a, const uint8_t* b) {
  const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(a)),
                y = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(b));
  return _mm256_permute4x64_epi64(_mm256_castsi128_si256(_mm_unpacklo_epi8(x, y)), 0x50);
}
// Shifts the lower half of each 128-bit lane by `low` and the upper half by `high`. The caller masks the bits that
// cross bytes.
inline vi left_lanes(vi a, int low, int high) {
  return _mm256_sllv_epi32(a, _mm256_set_epi32(high, high, low, low, high, high, low, low));
}
inline vi right_lanes(vi a, int low, int high) {
  return _mm256_srlv_epi32(a, _mm256_set_epi32(high, high, low, low, high, high, low, low));
}
// 8 sums, narrowed to 16 bits each.
inline void pack_sums(const int* sums, int* to) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums)),
                high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums + 4));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_packs_epi32(low, high));
}
// -Zero * (sum of channels 0 and 1 of each quad) in the lower and -Zero * (sum of channels 2 and 3) in the upper 16
// bits, over 32 channels, or over each 16 with Halves.
template <int Zero, bool Halves> inline void pair_sums(const int8_t* q, int* to) {
  vi p = _mm256_maddubs_epi16(_mm256_set1_epi8(static_cast<char>(Zero)), load(q));
  p = _mm256_add_epi16(p, _mm256_shuffle_epi32(p, 0x4e));
  p = _mm256_sub_epi16(_mm256_setzero_si256(), _mm256_add_epi16(p, _mm256_shuffle_epi32(p, 0xb1)));
  const __m128i low = _mm256_castsi256_si128(p), high = _mm256_extracti128_si256(p, 1);
  if constexpr (Halves) to[0] = _mm_cvtsi128_si32(low), to[1] = _mm_cvtsi128_si32(high);
  else to[0] = _mm_cvtsi128_si32(_mm_add_epi16(low, high));
}
inline vi widen_u8(const uint8_t* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline vi widen_i8(const uint8_t* p) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline vi widen_u8_16(const uint8_t* p) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline vf to_float(vi a) { return _mm256_cvtepi32_ps(a); }

inline vf zero() { return _mm256_setzero_ps(); }
inline vf loadf(const float* p) { return _mm256_loadu_ps(p); }
inline void storef(float* p, vf v) { _mm256_storeu_ps(p, v); }
inline vf splatf(float x) { return _mm256_set1_ps(x); }
inline vf load_half_vec(const void* p) { return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p))); }
inline vf fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
inline vf mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
inline vf addf(vf a, vf b) { return _mm256_add_ps(a, b); }
inline vf subf(vf a, vf b) { return _mm256_sub_ps(a, b); }
inline vf divf(vf a, vf b) { return _mm256_div_ps(a, b); }
inline vf maxf(vf a, vf b) { return _mm256_max_ps(a, b); }
inline vf minf(vf a, vf b) { return _mm256_min_ps(a, b); }
inline vf absf(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
inline vf keep_above(vf x, vf t) {
  return _mm256_and_ps(x, _mm256_cmp_ps(absf(x), t, _CMP_NLE_UQ));
}  // 0 where |x| <= t
inline vf roundf_even(vf a) { return _mm256_round_ps(a, 8); }
inline vf scale_pow2(vf a, vf n) {  // n within the exponents of normal floats
  return _mm256_mul_ps(a,
                       _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), splat(127)), 23)));
}
inline float reduce_add(vf a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float reduce_max(vf a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
inline int reduce_add_i(vi a) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}
inline vi round_to_int(vf a) { return _mm256_cvtps_epi32(a); }
inline vi add_i(vi a, vi b) { return _mm256_add_epi32(a, b); }
inline void store_i8(int8_t* p, vi v) {
  const __m128i h = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(h, h));
}
// Sums of the first and of the second 16 codes.
inline void sum_pair16(const int8_t* q, int* sums) {
  __m256i s = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), load(q)), _mm256_set1_epi16(1));
  s = _mm256_add_epi32(s, _mm256_shuffle_epi32(s, 0x4e));
  s = _mm256_add_epi32(s, _mm256_shuffle_epi32(s, 0xb1));
  sums[0] = _mm256_extract_epi32(s, 0), sums[1] = _mm256_extract_epi32(s, 4);
}
// W 16-bit factors, each in both halves of its lane.
inline vi pair_lanes(const int16_t* p) {
  const vi v = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm256_or_si256(v, _mm256_slli_epi32(v, 16));
}
// (byte * gain + offset) >> 8 of every byte, 16-bit factors for the low and the high byte of each pair alike.
inline vi fold_bytes(vi codes, vi gain, vi offset) {
  const vi low = _mm256_and_si256(codes, _mm256_set1_epi16(255)), high = _mm256_srli_epi16(codes, 8);
  const vi a = _mm256_add_epi16(_mm256_mullo_epi16(low, gain), offset),
           b = _mm256_add_epi16(_mm256_mullo_epi16(high, gain), offset);
  return _mm256_or_si256(_mm256_srli_epi16(a, 8), _mm256_and_si256(b, _mm256_set1_epi16(static_cast<short>(0xff00))));
}
inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }

}  // namespace midline::MIDLINE_ISA
