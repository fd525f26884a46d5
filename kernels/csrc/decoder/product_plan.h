// How a product is cut into items of work for the threads.
#pragma once
#include "kernels.h"
#include "threading/thread_pool.h"

namespace midline {

// Item i of a product of one row (GEMV): a panel and a chunk. None behind the last one.
inline Upcoming item(const Matrix& m, int i) {
  if (i >= m.items()) return {};
  return {&m, i / m.chunk_count(), i % m.chunk_count()};
}

// Items of a product of several rows (GEMM): groups of neighbouring units, by blocks of rows.
struct ProductPlan {
  const Matrix* m = nullptr;  // null: no product
  int grain = 1;              // units that stay together
  int groups = 0, blocks = 0, block_rows = 0;
  int items() const { return groups * blocks; }
  Range units(int item) const;
  Range rows(int item, int all) const;     // of `all` rows
  UpcomingUnits upcoming(int item) const;  // none behind the last one
  // What thread `tid` most likely multiplies behind an item: threads take turns, and each begins `after` with its own.
  UpcomingUnits behind(int item, int tid, int threads, const ProductPlan& after) const {
    return item + threads < items() ? upcoming(item + threads) : after.upcoming(tid);
  }
};

// Few rows: groups of as many neighbouring units as a call takes, as many for every thread. Many rows: a unit an item
// (or as many as stay together), and as few rows as it takes to keep all threads busy.
ProductPlan plan_product(const Matrix& m, int rows, int threads, int grain = 1);

}  // namespace midline
