// The choice of a set of kernels, as a function of CPU features that this machine need not have.
#include "dispatch.h"

#include <stdexcept>

#include "check.h"

namespace midline::test {
namespace {

const std::vector<std::string> kX86 = {"avx512", "avx2vnni", "avx2", "scalar"}, kArm = {"neoni8mm", "neon", "scalar"};
constexpr CpuFeatures kHaswell = kAvx2 | kFma | kF16c, kAlderLake = kHaswell | kAvxVnni,
                      kSkylakeX = kHaswell | kAvx512f | kAvx512bw | kAvx512dq | kAvx512vl,
                      kCascadeLake = kSkylakeX | kAvx512Vnni, kIceLake = kCascadeLake | kAvx512Vbmi,
                      kSapphireRapids = kIceLake | kAvxVnni;

void chooses(const std::string& expected, CpuFeatures available, const std::vector<std::string>& built,
             const std::string& forced = "") {
  const std::string found = choose_kernels(available, built, forced);
  expect(found == expected, "dispatch chooses " + found + " instead of " + expected);
}

void refuses(const std::string& expected, CpuFeatures available, const std::vector<std::string>& built,
             const std::string& forced) {
  try {
    expect(false, "dispatch accepts " + choose_kernels(available, built, forced) + " although: " + expected);
  } catch (const std::invalid_argument& e) {
    expect(e.what() == expected, "dispatch says: " + std::string(e.what()) + "\n  instead of: " + expected);
  }
}

void test_best() {
  chooses("scalar", 0, kX86);
  chooses("avx2", kHaswell, kX86);
  chooses("avx2vnni", kAlderLake, kX86);
  chooses("avx2", kSkylakeX, kX86);
  chooses("avx2", kCascadeLake, kX86);
  chooses("avx512", kIceLake, kX86);
  chooses("avx512", kSapphireRapids, kX86);
  chooses("neoni8mm", kDotProd | kI8mm, kArm);
  chooses("neon", kDotProd, kArm);
  chooses("scalar", 0, kArm);
}

// Real CPUs and virtual machines that offer only a part of what a set needs.
void test_hidden_features() {
  chooses("scalar", kFma | kF16c, kX86);           // AVX without AVX2, as AMD's Piledriver
  chooses("scalar", kF16c, kX86);                  // Ivy Bridge
  chooses("scalar", kAvx2 | kFma, kX86);           // AVX2 without F16C
  chooses("scalar", kAvx2 | kF16c, kX86);          // AVX2 without FMA
  chooses("scalar", kAlderLake & ~kAvx2, kX86);    // AVX-VNNI without AVX2
  chooses("scalar", kIceLake & ~kF16c, kX86);      // AVX-512 without F16C
  chooses("avx2", kIceLake & ~kAvx512Vbmi, kX86);  // one part of AVX-512 missing
  chooses("avx2vnni", kSapphireRapids & ~kAvx512bw, kX86);
  chooses("scalar", kI8mm, kArm);  // I8MM without the dot product
}

void test_forced() {
  chooses("scalar", kIceLake, kX86, "scalar");
  chooses("avx2", kIceLake, kX86, "avx2");
  chooses("avx2vnni", kSapphireRapids, kX86, "avx2vnni");
  chooses("scalar", kDotProd, kArm, "scalar");
  chooses("neon", kDotProd | kI8mm, kArm, "neon");
  chooses("neoni8mm", kDotProd | kI8mm, kArm, "neoni8mm");
}

void test_refused() {
  refuses("MIDLINE_KERNELS=avx2 does not run on this CPU, which lacks AVX2, FMA and F16C; possible here: scalar", 0,
          kX86, "avx2");
  refuses("MIDLINE_KERNELS=avx2 does not run on this CPU, which lacks F16C; possible here: scalar", kAvx2 | kFma, kX86,
          "avx2");
  refuses(
      "MIDLINE_KERNELS=avx2vnni does not run on this CPU, which lacks AVX-VNNI; possible here: avx512, avx2, scalar",
      kIceLake, kX86, "avx2vnni");
  refuses(
      "MIDLINE_KERNELS=avx512 does not run on this CPU, which lacks AVX512-VNNI and AVX512-VBMI; possible here: avx2, "
      "scalar",
      kSkylakeX, kX86, "avx512");
  refuses(
      "MIDLINE_KERNELS=neon does not run on this CPU, which is of another architecture; possible here: avx2, scalar",
      kHaswell, kX86, "neon");
  refuses("MIDLINE_KERNELS=neon does not run on this CPU, which lacks the 8-bit dot product; possible here: scalar", 0,
          kArm, "neon");
  refuses(
      "MIDLINE_KERNELS=neoni8mm does not run on this CPU, which lacks the 8-bit matrix product (I8MM); possible here: "
      "neon, scalar",
      kDotProd, kArm, "neoni8mm");
  refuses(
      "MIDLINE_KERNELS=neoni8mm does not run on this CPU, which is of another architecture; possible here: avx2, "
      "scalar",
      kHaswell, kX86, "neoni8mm");
  refuses("MIDLINE_KERNELS=mmx is not the name of a set of kernels; possible here: avx2, scalar", kHaswell, kX86,
          "mmx");
}

}  // namespace

void test_dispatch() {
  test_best();
  test_hidden_features();
  test_forced();
  test_refused();
}

}  // namespace midline::test
