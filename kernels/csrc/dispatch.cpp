#include "dispatch.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

#include "kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_ASIMDDP
#define HWCAP_ASIMDDP (1ul << 20)
#endif
#ifndef HWCAP2_I8MM
#define HWCAP2_I8MM (1ul << 13)
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
const Kernels* neoni8mm_kernels() { return nullptr; }
#endif

namespace {

struct Feature {
  CpuFeature bit;
  const char* name;
};
constexpr Feature kFeatures[] = {
    {kAvx2, "AVX2"},
    {kFma, "FMA"},
    {kF16c, "F16C"},
    {kAvxVnni, "AVX-VNNI"},
    {kAvx512f, "AVX512F"},
    {kAvx512bw, "AVX512BW"},
    {kAvx512dq, "AVX512DQ"},
    {kAvx512vl, "AVX512VL"},
    {kAvx512Vnni, "AVX512-VNNI"},
    {kAvx512Vbmi, "AVX512-VBMI"},
    {kDotProd, "the 8-bit dot product"},
    {kI8mm, "the 8-bit matrix product (I8MM)"},
};

// The extensions that the compiler may use with the flags of each set (CMakeLists.txt).
constexpr CpuFeatures kAvx2Set = kAvx2 | kFma | kF16c;
constexpr CpuFeatures kAvx512Set = kAvx2Set | kAvx512f | kAvx512bw | kAvx512dq | kAvx512vl | kAvx512Vnni | kAvx512Vbmi;

struct KernelSet {
  const char* name;
  CpuFeatures needs;
  const Kernels* (*table)();  // null if not built for this architecture
};
constexpr KernelSet kSets[] = {
    // the fastest first
    {"avx512", kAvx512Set, avx512_kernels}, {"avx2vnni", kAvx2Set | kAvxVnni, avx2vnni_kernels},
    {"avx2", kAvx2Set, avx2_kernels},       {"neoni8mm", kDotProd | kI8mm, neoni8mm_kernels},
    {"neon", kDotProd, neon_kernels},       {"scalar", 0, [] { return &scalar_kernels(); }},
};

// "A", "A and B", "A, B and C".
std::string listed(const std::vector<std::string>& items, const char* last) {
  std::string text;
  for (size_t i = 0; i < items.size(); i++) text += (i == 0 ? "" : i + 1 < items.size() ? ", " : last) + items[i];
  return text;
}

std::string why_not(const KernelSet* set, bool built, CpuFeatures available) {
  if (!set) return "is not the name of a set of kernels";
  if (!built) return "does not run on this CPU, which is of another architecture";
  std::vector<std::string> missing;
  for (const Feature& f : kFeatures)
    if (set->needs & ~available & f.bit) missing.push_back(f.name);
  return "does not run on this CPU, which lacks " + listed(missing, " and ");
}

}  // namespace

#if defined(__x86_64__)
CpuFeatures cpu_features() {
  __builtin_cpu_init();
  CpuFeatures found = 0;
  auto add = [&](bool has, CpuFeature f) { found |= has ? f : 0; };
  add(__builtin_cpu_supports("fma"), kFma);
  add(__builtin_cpu_supports("avx2"), kAvx2);
  add(__builtin_cpu_supports("avx512f"), kAvx512f);
  add(__builtin_cpu_supports("avx512bw"), kAvx512bw);
  add(__builtin_cpu_supports("avx512dq"), kAvx512dq);
  add(__builtin_cpu_supports("avx512vl"), kAvx512vl);
  add(__builtin_cpu_supports("avx512vnni"), kAvx512Vnni);
  add(__builtin_cpu_supports("avx512vbmi"), kAvx512Vbmi);
  // Clang's __builtin_cpu_supports does not know these two. That the operating system saves their registers is known
  // from AVX2, which every set with them needs too.
  unsigned a, b, c, d;
  add(__get_cpuid(1, &a, &b, &c, &d) && c >> 29 & 1, kF16c);
  const bool subleaf = __get_cpuid_count(7, 0, &a, &b, &c, &d) && a >= 1;
  add(subleaf && __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1, kAvxVnni);
  return found;
}
#elif defined(__aarch64__) && defined(__linux__)
CpuFeatures cpu_features() {
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP ? kDotProd : 0) | (getauxval(AT_HWCAP2) & HWCAP2_I8MM ? kI8mm : 0);
}
#elif defined(__aarch64__)
CpuFeatures cpu_features() { return kDotProd; }  // every Arm Mac has it; not asked for I8MM (M2 and later)
#else
CpuFeatures cpu_features() { return 0; }
#endif

std::string choose_kernels(CpuFeatures available, const std::vector<std::string>& built, const std::string& forced) {
  auto is_built = [&](const char* name) { return std::find(built.begin(), built.end(), name) != built.end(); };
  std::vector<std::string> possible;
  for (const KernelSet& set : kSets)
    if (is_built(set.name) && !(set.needs & ~available)) possible.push_back(set.name);
  if (forced.empty()) return possible.at(0);
  if (std::find(possible.begin(), possible.end(), forced) != possible.end()) return forced;
  const auto* set =
      std::find_if(std::begin(kSets), std::end(kSets), [&](const KernelSet& s) { return s.name == forced; });
  const bool known = set != std::end(kSets);
  throw std::invalid_argument("MIDLINE_KERNELS=" + forced + " " +
                              why_not(known ? set : nullptr, known && is_built(set->name), available) +
                              "; possible here: " + listed(possible, ", "));
}

namespace {

const Kernels& chosen_kernels() {
  std::vector<std::string> built;
  for (const KernelSet& set : kSets)
    if (set.table()) built.push_back(set.name);
  const char* forced = std::getenv("MIDLINE_KERNELS");
  const std::string name = choose_kernels(cpu_features(), built, forced ? forced : "");
  return *std::find_if(std::begin(kSets), std::end(kSets), [&](const KernelSet& s) { return s.name == name; })->table();
}

}  // namespace

// Chosen once, at the first use.
const Kernels& kernels() {
  static const Kernels& chosen = chosen_kernels();
  return chosen;
}

}  // namespace midline
