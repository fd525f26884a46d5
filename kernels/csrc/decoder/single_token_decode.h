// Decode of one token of one sequence. Products are GEMV, sparse where the step has thresholds.
#pragma once
#include <atomic>
#include <vector>

#include "decoder/decoder.h"

namespace midline {

class SingleTokenDecode {
 public:
  explicit SingleTokenDecode(Decoder& d);
  bool run(uint16_t* kv_pool, const Step& step);

 private:
  class Worker;     // one thread's part in a step: an executor of layer_schedule.h
  struct Scratch {  // of one thread: values that every thread computes for itself
    std::vector<float> x, norm, wide, out, blk, queries, key_value, angles;
    RowBuffer input;
    std::vector<uint8_t> attention;
  };

  Decoder& d_;
  std::vector<Scratch> scratch_;                   // [threads]
  std::vector<float> qkv_, out_, gate_up_, down_;  // products by chunk, [chunk][outputs], to be summed by the reader
  std::vector<float> attended_;                    // [heads][head_dim]
  std::atomic<bool> cancelled_{false};
};

}  // namespace midline
