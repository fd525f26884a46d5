// Several tokens in one step: prefill of a prompt, decode of many sequences at once, or verification of drafted tokens.
// Products are GEMM. Phases over rows alternate with phases over units of outputs. Threads take the items of a phase in
// turn, and each phase ends with a barrier.
#pragma once
#include <atomic>
#include <vector>

#include "decoder/bifurcated_attention.h"
#include "decoder/decoder.h"
#include "decoder/product_plan.h"

namespace midline {

class PrefillAndBatchedDecode {
 public:
  explicit PrefillAndBatchedDecode(Decoder& d);
  bool run(uint16_t* kv_pool, const Step& step, int rows);

 private:
  class Worker;     // one thread's part in a step: an executor of layer_schedule.h
  struct Scratch {  // of one thread
    PagedVector<uint8_t> gemm, attention;
    PagedVector<float> row, queries, part, state;
    std::vector<int> limits;
  };
  void reserve(const Step& step);

  Decoder& d_;
  const DecoderConfig& c_;
  std::vector<Scratch> scratch_;  // [threads]
  // State of the current step.
  int rows_ = 0;
  bool float_ = false;
  AttentionPlan plan_;
  std::vector<int> position_;                // [row]
  std::vector<bool> sparse_;                 // [row]
  std::vector<const int*> pages_;            // [row] page table
  PagedVector<float> x_, angles_;            // [row][width]; [row][head_dim]
  PagedVector<float> qkv_;                   // [row][outputs of qkv]
  PagedVector<float> queries_;               // [kv head][row][queries of the KV head][head_dim]
  PagedVector<float> attended_;              // [row][heads][head_dim]
  PagedVector<float> softmax_;               // [kv head][row] softmax state after the shared blocks of keys
  PagedVector<float> sums_;                  // [row][outputs of out or down]
  PagedVector<float> hidden_;                // [row][padded hidden]
  RowBuffer narrow_, inner_;                 // quantized inputs: narrow_ of qkv, out and gate_up, inner_ of down
  RowBuffer head_input_;                     // quantized input of the head, for rows with logits
  std::vector<std::atomic<int>> next_item_;  // [phase]
  std::atomic<bool> cancelled_{false};
};

}  // namespace midline
