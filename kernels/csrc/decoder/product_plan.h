// How a product is cut into items of work for the threads.
#pragma once
#include "kernels.h"
#include "threading/thread_pool.h"

namespace midline {

// Item i of a product of one row (GEMV): a panel and a chunk. Beyond the last item there is no matrix.
inline Upcoming item(const Matrix& m, int i) {
  if (i >= m.items()) return {};
  return {&m, i / m.chunk_count(), i % m.chunk_count()};
}

// Items of a product of several rows (GEMM): groups of neighbouring units, by blocks of rows.
struct ProductPlan {
  const Matrix* m = nullptr;  // null: no product
  int grain = 1;              // units that stay in one item: 2 for gate | up
  int groups = 0, blocks = 0, block_rows = 0;
  int items() const { return groups * blocks; }
  Range units(int item) const;
  Range rows(int item, int all) const;     // of `all` rows
  UpcomingUnits upcoming(int item) const;  // none after the last one
  // What thread `tid` most likely multiplies after an item, to be prefetched: threads take items in turn, and each
  // starts the next product, `after`, with the item of its own number.
  UpcomingUnits behind(int item, int tid, int threads, const ProductPlan& after) const {
    return item + threads < items() ? upcoming(item + threads) : after.upcoming(tid);
  }
};

// Up to kExactRows rows: the fewest items that GEMM calls allow (gemm_units), rounded up to a multiple of the threads.
// More rows: `grain` units per item, split by rows only if there are fewer items than threads need.
ProductPlan plan_product(const Matrix& m, int rows, int threads, int grain = 1);

}  // namespace midline
