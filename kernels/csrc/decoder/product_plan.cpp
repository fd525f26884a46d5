#include "decoder/product_plan.h"

#include <algorithm>

namespace midline {
namespace {

// Products of fewer items per thread than this are also split by rows.
constexpr int kItemsPerThread = 8;

}  // namespace

Range ProductPlan::units(int item) const {
  const Range whole = share(m->units / grain, item / blocks, groups);
  return {whole.begin * grain, whole.end * grain};
}

Range ProductPlan::rows(int item, int all) const {
  const int begin = item % blocks * block_rows;
  return {begin, std::min(begin + block_rows, all)};
}

UpcomingUnits ProductPlan::upcoming(int item) const {
  if (!m || item >= items()) return {};
  const Range r = units(item);
  return {m, r.begin, r.end - r.begin};
}

ProductPlan plan_product(const Matrix& m, int rows, int threads, int grain) {
  const int parts = m.units / grain, most = std::max(1, gemm_units(rows) / grain);
  const int least = (parts + most - 1) / most, even = (least + threads - 1) / threads * threads;
  if (rows <= kExactRows) return {&m, grain, std::min(even, parts), 1, rows};
  int block = rows;
  while (parts * ((rows + block - 1) / block) < kItemsPerThread * threads && block >= 4 * kExactRows)
    block = (block + 1) / 2;
  return {&m, grain, parts, (rows + block - 1) / block, block};
}

}  // namespace midline
