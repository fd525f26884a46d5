// Many tokens, of one sequence or of several: phases over rows and over units of outputs, a barrier between phases.
#pragma once
#include "decoder/bifurcated_attention.h"
#include "decoder/decoder.h"
#include "decoder/product_plan.h"

namespace midline {

struct ManyRows {
  explicit ManyRows(Decoder& d);
  bool run(uint16_t* pool, const Step& step, int rows);

 private:
  struct Scratch {  // one thread's
    int tid;
    PagedVector<uint8_t> gemm, attention;
    PagedVector<float> row, queries, part, state;
    std::vector<int> limits;
  };
  void work(uint16_t* pool, const Step& step, int tid);
  // Dynamic shares of a phase, then a barrier. A thread's first item is always the same, so that it can be fetched
  // ahead.
  template <class F> void each(int items, const Scratch& s, F f) {
    std::atomic<int>& next = counters_[phase_++];
    for (int i = s.tid; i < items; i = next.fetch_add(1, std::memory_order_relaxed)) f(i);
    d_.threads_.barrier();
  }
  ProductPlan plan(const Matrix& m, int grain = 1) const { return plan_product(m, rows_, c_.threads, grain); }
  ProductPlan plan_head(const Step& step) const;
  void multiply(const Matrix& m, Range units, const RowBuffer& in, Range of, const UpcomingUnits& next, float* y,
                size_t ldy, Scratch& s);
  void product(const ProductPlan& now, const RowBuffer& in, float* y, const ProductPlan& after, Scratch& s);
  void gate_up(const ProductPlan& now, const ProductPlan& after, Scratch& s);
  struct Entrance {
    const Matrix& m;
    const float* threshold;
    float* tap;
  };  // a matrix, its thresholds, row 0's place in the tap
  Entrance entrance(const Step& step, int layer, const Matrix& m) const;
  void enter(const Entrance& at, float* x, int row, RowBuffer& to);
  void norm_rows(const float* weight, const Entrance& next, const float* residual, size_t residual_width, Scratch& s);
  void store_rows(uint16_t* pool, const Layer& l, int index, Scratch& s);
  void attend(uint16_t* pool, const AttentionItem& item, int index, int kv_head, Scratch& s);
  void attention(uint16_t* pool, int index, Scratch& s);
  void head(const Step& step, const float* residual, Scratch& s);

  Decoder& d_;
  const DecoderConfig& c_;
  const Kernels& k_;
  int rows_ = 0;
  bool float_ = false;
  AttentionPlan plan_;
  std::vector<int> position_;
  std::vector<bool> sparse_;       // [row]
  std::vector<const int*> pages_;  // each row's page table
  PagedVector<float> x_, angles_, qkv_, queries_, attended_, sums_, hidden_, parts_;
  RowBuffer narrow_, inner_, head_;  // inputs of width and heads; of hidden; the rows that want logits
  std::vector<Scratch> scratch_;
  std::vector<std::atomic<int>> counters_;
  thread_local static int phase_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace midline
