// The one dispatch table: chosen once, at the first use.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_ASIMDDP
#define HWCAP_ASIMDDP (1ul << 20)
#endif
#endif

namespace midline {

#if !defined(__x86_64__)
const Kernels* avx2_kernels() { return nullptr; }
const Kernels* avx2vnni_kernels() { return nullptr; }
const Kernels* avx512_kernels() { return nullptr; }
#endif
#if !defined(__aarch64__)
const Kernels* neon_kernels() { return nullptr; }
#endif

namespace {

#if defined(__x86_64__)
// Two features that Clang's __builtin_cpu_supports does not know; that of AVX2 has asked whether the system saves the
// registers.
bool has_f16c() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && c >> 29 & 1;
}
bool has_avxvnni() {
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
}
#endif

bool runs(const Kernels* k) {
  if (!k) return false;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const std::string name = k->name;
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  if (name == "avx2") return avx2;
  if (name == "avx2vnni") return avx2 && has_avxvnni();
  if (name == "avx512")
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
#endif
#if defined(__aarch64__) && defined(__linux__)  // every Arm Mac has the dot product
  if (k->name == std::string("neon")) return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
#endif
  return true;
}

const Kernels& choose() {
  const Kernels* all[] = {avx512_kernels(), avx2vnni_kernels(), avx2_kernels(), neon_kernels(), &scalar_kernels()};
  const char* forced = std::getenv("MIDLINE_KERNELS");
  std::string possible;
  for (const Kernels* k : all) {
    if (!runs(k)) continue;
    if (!forced || !*forced || k->name == std::string(forced)) return *k;
    possible += std::string(possible.empty() ? "" : ", ") + k->name;
  }
  throw std::invalid_argument("MIDLINE_KERNELS=" + std::string(forced) +
                              " does not run on this CPU; possible here: " + possible);
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace midline
