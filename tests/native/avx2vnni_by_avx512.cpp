// AVX-VNNI's kernels with their dot products in AVX-512 VL's encoding of the same instructions: a CPU that has only the
// latter tests the former.
#include <immintrin.h>
#undef _mm256_dpbusd_avx_epi32
#undef _mm256_dpwssd_avx_epi32
#define _mm256_dpbusd_avx_epi32 _mm256_dpbusd_epi32
#define _mm256_dpwssd_avx_epi32 _mm256_dpwssd_epi32

#define avx2vnni_kernels encoded_kernels
#include "x86/avx2vnni.cpp"
#undef avx2vnni_kernels

namespace midline {
const Kernels* avx2vnni_kernels() {
  const bool runs = __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
  return runs ? encoded_kernels() : nullptr;
}
}  // namespace midline
