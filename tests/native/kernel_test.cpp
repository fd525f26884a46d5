// Stand-alone test of the kernels: those that this machine (or emulator) chooses, or MIDLINE_KERNELS names, against the
// scalar twin, bit for bit, and against float64 within bounds. Needs nothing but a C++20 compiler, so that it can be
// cross-compiled.
//
//   kernel_test          what dispatch chooses; status 2 when MIDLINE_KERNELS names what does not run here
//   kernel_test --name   only prints the name of what dispatch chooses
//   kernel_test NAME     the kernels of that name without asking the CPU; status 2 when they were not built
#include <stdexcept>

#include "check.h"

namespace midline::test {

int failures = 0;
std::mt19937 rng(7);

void expect(bool ok, const std::string& what) {
  if (!ok && ++failures <= 20) std::printf("FAIL %s\n", what.c_str());
}

float normal() { return std::normal_distribution<float>()(rng); }

std::vector<float> normals(size_t n) {
  std::vector<float> x(n);
  for (float& v : x) v = normal() * (rng() % 97 == 0 ? 30.0f : 1.0f);
  return x;
}

namespace {

const Kernels& named(const std::string& name) {
  for (const Kernels* k :
       {&scalar_kernels(), avx2_kernels(), avx2vnni_kernels(), avx512_kernels(), neon_kernels(), neoni8mm_kernels()})
    if (k && k->name == name) return *k;
  throw std::invalid_argument("kernels named " + name + " were not built here");
}

}  // namespace
}  // namespace midline::test

int main(int argc, char** argv) {
  using namespace midline::test;
  try {
    if (argc > 1 && argv[1] == std::string("--name")) return std::printf("%s\n", midline::kernels().name), 0;
    const midline::Kernels& k = argc > 1 ? named(argv[1]) : midline::kernels();
    test_products(k);
    test_survivors(k);
    test_attention(k);
    test_elementwise(k);
    test_screen(k);
    test_threshold(k);
    test_dots(k);
    test_dispatch();
    if (failures) std::printf("%s: %d expectations failed\n", k.name, failures);
    else std::printf("%s: passed\n", k.name);
  } catch (const std::invalid_argument& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
  return failures ? 1 : 0;
}
