// Dot products in registers: every round adds four products to each lane.
#include "check.h"

namespace midline::test {

void test_dots(const Kernels& k) {
  for (int rounds : {0, 1, 1000}) {
    int64_t count = -1;
    expect(k.dot_chains(rounds, &count) == 4 * rounds,
           std::string(k.name) + " dot_chains sums " + std::to_string(rounds) + " rounds");
    expect(count >= 4 * rounds && count % 4 == 0 && (count > 0) == (rounds > 0),
           std::string(k.name) + " dot_chains counts its multiply-adds");
  }
}

}  // namespace midline::test
