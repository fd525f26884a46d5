// One thread's part in a step of several rows: an executor of layer_schedule.h.
#pragma once
#include "decoder/prefill_and_batched_decode.h"

namespace midline {

class PrefillAndBatchedDecode::Worker {
 public:
  Worker(PrefillAndBatchedDecode& all, uint16_t* kv_pool, const Step& step, int tid)
      : all_(all),
        d_(all.d_),
        c_(all.c_),
        k_(d_.k_),
        cache_(c_, kv_pool),
        step_(step),
        s_(all.scratch_[tid]),
        tid_(tid) {}

  void embed();
  void begin_layer(int layer);
  void norm(const float* weight, const Matrix& reader);
  bool cancelled() const { return all_.cancelled_; }
  void qkv(const Matrix& m, const Matrix& next);
  void rope_and_store();
  void attention();
  void out(const Matrix& m, const Matrix& next);
  void gate_up(const Matrix& m, const Matrix& next);
  void down(const Matrix& m, const Matrix& next);
  void head(const float* output_norm, const Matrix& m);

 private:
  struct Input {  // of one of a layer's matrices
    const Matrix& m;
    const float* threshold;  // null: dense
    float* copy;             // where row 0 is copied to in Step::matrix_inputs, or null
  };
  // One phase: f(item) for every item, then a barrier. A thread's first item is the one of its own number, so that the
  // previous phase can prefetch it.
  template <class F> void phase(int items, F f) {
    std::atomic<int>& next = all_.next_item_[phase_++];
    for (int i = tid_; i < items; i = next.fetch_add(1, std::memory_order_relaxed)) f(i);
    d_.threads_.barrier();
  }
  const Layer& layer() const { return d_.weights.layers[layer_]; }
  float* x(int row) { return all_.x_.data() + static_cast<size_t>(row) * c_.width; }
  // The queries of a row and KV head, and the state of its softmax after the shared blocks.
  float* queries_of(int row, int kv_head) {
    const size_t at = static_cast<size_t>(kv_head) * all_.rows_ + row;
    return all_.queries_.data() + at * c_.queries_per_kv_head() * c_.head_dim;
  }
  float* softmax_of(int row, int kv_head) {
    const size_t at = static_cast<size_t>(kv_head) * all_.rows_ + row;
    return all_.softmax_.data() + at * c_.queries_per_kv_head() * (c_.head_dim + 2);
  }
  ProductPlan plan(const Matrix& m) const;
  Input input(const Matrix& m) const;
  void enter(const Input& in, float* x, int row, RowBuffer& to);
  void add_residual(int row);
  void product(const Matrix& m, const RowBuffer& in, float* y, const Matrix& next);
  void multiply(const Matrix& m, Range units, const RowBuffer& in, Range of, const UpcomingUnits& next, float* y,
                size_t ldy);
  void attend(const AttentionItem& item, bool last, int kv_head);
  void begin_softmax(const AttentionItem& item, int kv_head, bool gather);
  void end_softmax(const AttentionItem& item, int kv_head, bool last);

  PrefillAndBatchedDecode& all_;
  Decoder& d_;
  const DecoderConfig& c_;
  const Kernels& k_;
  const KvCache cache_;
  const Step& step_;
  Scratch& s_;
  const int tid_;
  int layer_ = 0, phase_ = 0;
  size_t residual_width_ = 0;  // width of the product in sums_ that is still to be added to x; 0: none
};

}  // namespace midline
