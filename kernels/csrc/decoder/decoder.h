// One step of a decoder-only transformer on packed weights: prefill, decode, or both for several sequences at once. It
// knows arrays and sizes; files, tensor names and the text of tokens are the caller's.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "decoder/config.h"
#include "decoder/kv_cache.h"
#include "decoder/rope.h"
#include "decoder/row_buffer.h"
#include "kernels.h"
#include "threading/thread_pool.h"

namespace midline {

// The matrices of a layer. Those with the same input are fused: q | k | v, and gate | up in alternating units. Each
// tensor starts at a new unit.
struct Layer {
  Matrix qkv, out, gate_up, down;
  const float *attention_norm, *ffn_norm;
  const float* qkv_bias;  // [qkv.outputs()] or null
};

struct Embedding {
  int type;             // of the GGUF blocks
  const uint8_t* rows;  // [vocab][row_bytes]
  size_t row_bytes;
};

struct Weights {
  std::vector<Layer> layers;
  const float* output_norm;
  Matrix head;            // the output matrix (LM head)
  const uint8_t* screen;  // of the head, packed by pack_screen, or null
  Embedding embedding;
};

// Consecutive tokens of one sequence.
struct Segment {
  int start, rows;   // position of the first token; tokens
  const int* pages;  // page table of positions 0 .. start + rows - 1
  int sparse_from;   // first position whose row is sparse (TEAL)
};

// Activation sparsity (TEAL, arXiv 2408.14690): one threshold for each input channel of a layer's four matrices. A
// channel whose magnitude is at most its threshold is dropped. Null for a matrix that stays dense.
struct LayerThresholds {
  const float *qkv, *out, *gate_up, *down;
};
using Thresholds = std::vector<LayerThresholds>;

enum class Head { none, exact, screened };

struct Step {
  const int* tokens;  // of all segments, concatenated
  std::vector<Segment> segments;
  std::vector<int> logit_rows;  // rows whose logits are wanted
  Head head;
  float* logits;                    // [logit_rows][vocab]
  bool float_activations;           // debug path: float64 sums over unpacked weights and float activations
  const std::atomic<bool>* cancel;  // may be null
  const Thresholds* thresholds;     // null: every row is dense
  float* matrix_inputs;             // null, or receives [rows][layers][inputs_per_layer()], dropped channels 0
};

constexpr int kMaxRows = 512;  // rows of one step

class HeadScreen;
class SingleTokenDecode;
class PrefillAndBatchedDecode;

class Decoder {
 public:
  Decoder(const DecoderConfig& config, Weights weights);
  ~Decoder();
  const DecoderConfig config;
  const Weights weights;

  // Size of a KV page in f16 numbers.
  size_t page_halves() const { return KvCache::page_halves(config); }
  // Number of input channels of a layer's four matrices together, in the order qkv, out, gate_up, down.
  size_t inputs_per_layer() const {
    return 2 * static_cast<size_t>(config.width) + static_cast<size_t>(config.heads) * config.head_dim + config.hidden;
  }
  // Runs one step on the KV pages at `kv_pool`; false if it was cancelled. One caller at a time.
  bool run(uint16_t* kv_pool, const Step& step);
  ThreadPool& pool() { return threads_; }

 private:
  friend class SingleTokenDecode;
  friend class PrefillAndBatchedDecode;
  bool cancelled(const Step& s) const { return s.cancel && s.cancel->load(std::memory_order_relaxed); }
  void embed(int token, float* x) const;

  const Kernels& k_;
  ThreadPool threads_;
  const Rope rope_;
  const DensePattern dense_;
  bool float_weights_ = false;  // whether a matrix has float weights, and so reads float activations
  std::unique_ptr<HeadScreen> screen_;
  std::unique_ptr<SingleTokenDecode> single_;
  std::unique_ptr<PrefillAndBatchedDecode> batched_;
};

}  // namespace midline
