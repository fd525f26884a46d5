// Primitives on 512-bit vectors: AVX-512 F, BW, DQ, VL, VNNI and VBMI (Ice Lake, Tiger Lake, Zen 4 and later).
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <cstring>

#define MIDLINE_ISA avx512

namespace midline::avx512 {

using vi = __m512i;
using vf = __m512;
constexpr int W = 16, VB = 64;
constexpr int kGemmMR = 3, kGemmNV = 4, kFoldMR = 4, kAttendQ = 6, kFewQueries = 8;
constexpr bool kFolds = true;
constexpr int kSlicePad = 0;
constexpr bool kExpandBeside = true;  // 32 registers suffice to expand a tile in the loop of its first products

inline vi load(const void* p) { return _mm512_loadu_si512(p); }
// Keeps a value in a register: a compiler that knows it to be in memory would load it again for each use.
inline void keep(vi& v) { asm("" : "+v"(v)); }
inline void store(void* p, vi v) { _mm512_storeu_si512(p, v); }
inline vi splat(int x) { return _mm512_set1_epi32(x); }
inline vi splat4(const int8_t* q) {
  int x;
  std::memcpy(&x, q, 4);
  return _mm512_set1_epi32(x);
}
inline vi unpacklo8(vi a, vi b) { return _mm512_unpacklo_epi8(a, b); }
inline vi unpackhi8(vi a, vi b) { return _mm512_unpackhi_epi8(a, b); }
inline vi unpacklo16(vi a, vi b) { return _mm512_unpacklo_epi16(a, b); }
inline vi unpackhi16(vi a, vi b) { return _mm512_unpackhi_epi16(a, b); }
inline vi and_bytes(vi a, int m) { return _mm512_and_si512(a, _mm512_set1_epi8(static_cast<char>(m))); }
template <int N> inline vi right(vi a) { return _mm512_srli_epi16(a, N); }
template <int N> inline vi left(vi a) { return _mm512_slli_epi16(a, N); }
inline vi or_masked(vi a, vi h, int m) {
  return _mm512_ternarylogic_epi32(a, h, _mm512_set1_epi8(static_cast<char>(m)), 0xF8);
}
// Dword j of the result holds byte j of each of four 16-byte rows.
inline vi interleave_bytes(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d) {
  const __m512i order =
      _mm512_set_epi8(63, 47, 31, 15, 62, 46, 30, 14, 61, 45, 29, 13, 60, 44, 28, 12, 59, 43, 27, 11, 58, 42, 26, 10,
                      57, 41, 25, 9, 56, 40, 24, 8, 55, 39, 23, 7, 54, 38, 22, 6, 53, 37, 21, 5, 52, 36, 20, 4, 51, 35,
                      19, 3, 50, 34, 18, 2, 49, 33, 17, 1, 48, 32, 16, 0);
  auto row = [](const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); };
  __m512i v = _mm512_castsi128_si512(row(a));
  v = _mm512_inserti32x4(v, row(b), 1);
  v = _mm512_inserti32x4(v, row(c), 2);
  v = _mm512_inserti32x4(v, row(d), 3);
  return _mm512_permutexvar_epi8(order, v);
}
inline vi dot(vi acc, vi u, vi s) { return _mm512_dpbusd_epi32(acc, u, s); }       // u <= 127
inline vi dot_full(vi acc, vi u, vi s) { return _mm512_dpbusd_epi32(acc, u, s); }  // u <= 255
inline vi dot_pairs(vi acc, vi a, vi b) { return _mm512_dpwssd_epi32(acc, a, b); }
inline vi widen_u8(const uint8_t* p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline vi widen_i8(const uint8_t* p) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline vi widen_u8_16(const uint8_t* p) {
  return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline vf to_float(vi a) { return _mm512_cvtepi32_ps(a); }

inline vf zero() { return _mm512_setzero_ps(); }
inline vf loadf(const float* p) { return _mm512_loadu_ps(p); }
inline void storef(float* p, vf v) { _mm512_storeu_ps(p, v); }
inline vf splatf(float x) { return _mm512_set1_ps(x); }
inline vf load_half_vec(const void* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p))); }
inline vf fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
inline vf mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
inline vf addf(vf a, vf b) { return _mm512_add_ps(a, b); }
inline vf subf(vf a, vf b) { return _mm512_sub_ps(a, b); }
inline vf divf(vf a, vf b) { return _mm512_div_ps(a, b); }
inline vf maxf(vf a, vf b) { return _mm512_max_ps(a, b); }
inline vf minf(vf a, vf b) { return _mm512_min_ps(a, b); }
inline vf absf(vf a) { return _mm512_abs_ps(a); }
inline vf keep_above(vf x, vf t) {  // 0 where |x| <= t
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(_mm512_abs_ps(x), t, _CMP_NLE_UQ), x);
}
inline vf roundf_even(vf a) { return _mm512_roundscale_ps(a, 8); }
inline vf scale_pow2(vf a, vf n) { return _mm512_scalef_ps(a, n); }  // a * 2^n, n integral
inline float reduce_add(vf a) { return _mm512_reduce_add_ps(a); }
inline float reduce_max(vf a) { return _mm512_reduce_max_ps(a); }
inline int reduce_add_i(vi a) { return _mm512_reduce_add_epi32(a); }
inline vi round_to_int(vf a) { return _mm512_cvtps_epi32(a); }
inline vi add_i(vi a, vi b) { return _mm512_add_epi32(a, b); }
inline void store_i8(int8_t* p, vi v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v)); }
// Sums of the first and of the second 16 codes.
inline void sum_pair16(const int8_t* q, int* sums) {
  __m256i s = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1),
                                  _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q)));
  s = _mm256_add_epi32(s, _mm256_shuffle_epi32(s, 0x4e));
  s = _mm256_add_epi32(s, _mm256_shuffle_epi32(s, 0xb1));
  sums[0] = _mm256_extract_epi32(s, 0), sums[1] = _mm256_extract_epi32(s, 4);
}
// W 16-bit factors, each in both halves of its lane.
inline vi pair_lanes(const int16_t* p) {
  const vi v = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_or_si512(v, _mm512_slli_epi32(v, 16));
}
// (byte * gain + offset) >> 8 of every byte, 16-bit factors for the low and the high byte of each pair alike.
inline vi fold_bytes(vi codes, vi gain, vi offset) {
  const vi low = _mm512_and_si512(codes, _mm512_set1_epi16(255)), high = _mm512_srli_epi16(codes, 8);
  const vi a = _mm512_add_epi16(_mm512_mullo_epi16(low, gain), offset),
           b = _mm512_add_epi16(_mm512_mullo_epi16(high, gain), offset);
  return _mm512_ternarylogic_epi32(_mm512_srli_epi16(a, 8), b, _mm512_set1_epi16(static_cast<short>(0xff00)), 0xF8);
}
// Compacts 16 codes to those that are not zero, with first + their position; returns their number. Writes 16 entries.
inline int compact16(const int8_t* q, int first, int8_t* to, uint16_t* index) {
  const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q));
  const __mmask16 kept = _mm_test_epi8_mask(codes, codes);
  const __m512i places = _mm512_add_epi32(_mm512_set1_epi32(first),
                                          _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
  const __m512i both =
      _mm512_maskz_compress_epi32(kept, _mm512_or_si512(_mm512_slli_epi32(_mm512_cvtepi8_epi32(codes), 16), places));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(index), _mm512_cvtepi32_epi16(both));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(_mm512_srai_epi32(both, 16)));
  return __builtin_popcount(kept);
}
inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }

}  // namespace midline::avx512
