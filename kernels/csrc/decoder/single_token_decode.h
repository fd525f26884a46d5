// One token of one sequence: every phase is split over the threads with one barrier behind it.
#pragma once
#include "decoder/decoder.h"

namespace midline {

// Work item i of a matrix's product: a panel and a chunk.
inline Upcoming item(const Matrix& m, int i) {
  if (i >= m.items()) return {};
  return {&m, i / m.chunk_count(), i % m.chunk_count()};
}

struct OneRow {
  explicit OneRow(Decoder& d);
  bool run(uint16_t* pool, const Step& step);

 private:
  struct Private {  // one thread's copy of everything it can compute faster than share
    std::vector<float> x, norm, wide, out, blk, queries, angles;
    RowBuffer input;
    std::vector<uint8_t> attention;
  };
  void layers(uint16_t* pool, const Step& step, int tid);
  void product(const Matrix& m, const float* threshold, const float* x, std::vector<float>& partial,
               const Matrix& after, Private& p, int tid);
  void multiply(const Matrix& m, const Activations& a, std::vector<float>& partial, const Matrix& after, Private& p,
                int tid);
  void down(const Layer& l, const float* threshold, const Matrix& after, Private& p, int tid);
  LayerThresholds thresholds(const Step& step, int layer) const;
  void add_residual(const Matrix& m, const std::vector<float>& partial, Private& p);
  void attention(uint16_t* pool, const Step& step, const Layer& layer, int index, Private& p, int tid);
  void attend(uint16_t* pool, const Step& step, int index, int kv_head, Private& p);
  void head(const Step& step, Private& p, int tid);
  void exact_head(const Step& step, const Activations& a, Private& p, int tid);

  Decoder& d_;
  const DecoderConfig& c_;
  const Kernels& k_;
  std::vector<Private> private_;
  std::vector<float> qkv_, out_, gate_up_, down_;  // sums of the chunks [chunk][outputs]
  std::vector<float> attended_;                    // [heads * head_dim]
  std::atomic<bool> cancelled_{false};
};

}  // namespace midline
