// The output matrix (LM head) of one row, screened: approximate logits of the whole vocabulary from a 2-bit copy of the
// weights, then exact logits of the best candidates.
#pragma once
#include <vector>

#include "kernels.h"
#include "threading/thread_pool.h"

namespace midline {

constexpr int kScreenCandidates = 128;

class HeadScreen {
 public:
  HeadScreen(const Matrix& head, const uint8_t* codes, const Kernels& k, int vocab, int threads);
  // Called by every thread of the pool. x: the normalized row, a: the same row quantized for the head. Writes
  // approximate logits of the whole vocabulary, then replaces those of the candidates by exact ones, bit for bit those
  // of the whole product. Returns false if the screen's error is too large for this row; the caller then computes the
  // whole product.
  bool run(ThreadPool& pool, const Activations& a, const float* x, float* logits, int tid);

 private:
  void approximate(const float* x, float* logits, int tid);
  void choose(const float* logits);
  void narrow(const float* logits);
  void rescore(const Activations& a, int begin, int end, int tid);

  const Matrix& m_;
  const uint8_t* codes_;
  const Kernels& k_;
  const int vocab_, threads_;
  std::vector<float> unit_max_, exact_;
  std::vector<int> candidates_;
  bool trusted_ = false;
};

}  // namespace midline
