// Choice of the kernel set, from the features of the CPU and the set that MIDLINE_KERNELS forces.
#pragma once
#include <string>
#include <vector>

namespace midline {

// The instruction set extensions that the kernels use, as bits of a set.
enum CpuFeature : unsigned {
  kAvx2 = 1u << 0,
  kFma = 1u << 1,
  kF16c = 1u << 2,
  kAvxVnni = 1u << 3,
  kAvx512f = 1u << 4,
  kAvx512bw = 1u << 5,
  kAvx512dq = 1u << 6,
  kAvx512vl = 1u << 7,
  kAvx512Vnni = 1u << 8,
  kAvx512Vbmi = 1u << 9,
  kDotProd = 1u << 10,  // Arm's 8-bit dot product
  kI8mm = 1u << 11,     // Arm's products of matrices of bytes
};
using CpuFeatures = unsigned;

// The extensions that this CPU has and whose registers the operating system saves.
CpuFeatures cpu_features();

// The name of the set to use, out of those built for this architecture: the fastest that runs with these features, or
// the forced one (empty: none is forced). Throws std::invalid_argument, whose message is one sentence that says why the
// forced set does not run and which sets do.
std::string choose_kernels(CpuFeatures available, const std::vector<std::string>& built, const std::string& forced);

}  // namespace midline
