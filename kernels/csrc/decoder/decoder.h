// The decoder-only transformer step on packed weights: RMSNorm, rotary grouped-query attention over paged keys and
// values, SwiGLU. It knows arrays and sizes; names, files and tokens are the caller's.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "kernels.h"
#include "memory/huge_pages.h"
#include "threading/thread_pool.h"

namespace midline {

struct DecoderConfig {
  int layers, width, heads, kv_heads, head_dim, hidden, vocab;
  float eps, rope_base;
  bool rope_interleaved;  // pairs (2i, 2i+1), llama; otherwise (i, i + head_dim / 2), qwen2
  int threads;
};

// Matrices fuse what shares an input: q|k|v, and gate and up unit by unit alternating. Every tensor starts at a unit.
struct Layer {
  Matrix qkv, out, gate_up, down;
  const float *attention_norm, *ffn_norm;
  const float* qkv_bias;  // [qkv.outputs()] or null
};

struct Embedding {
  int type;
  const uint8_t* rows;
  size_t row_bytes;
};

struct Weights {
  std::vector<Layer> layers;
  const float* output_norm;
  Matrix head;
  const uint8_t* screen;  // packed by pack_screen, or null
  Embedding embedding;
};

// Consecutive tokens of one sequence; its pages hold the keys and values of positions 0 .. start + rows - 1.
struct Segment {
  int start, rows;
  const int* pages;
  int sparse_from;  // first position whose row skips what lies under the step's thresholds
};

// Activation sparsity (TEAL, arXiv 2408.14690): the smallest magnitude that survives, less one step, of each input
// channel of a layer's four matrices; null for a matrix that stays dense.
struct LayerThresholds {
  const float *qkv, *out, *gate_up, *down;
};
using Thresholds = std::vector<LayerThresholds>;

enum class Head { none, exact, screened };

struct Step {
  const int* tokens;  // all segments' tokens, one after the other
  std::vector<Segment> segments;
  std::vector<int> logit_rows;  // rows whose logits are wanted
  Head head;
  float* logits;                    // [logit_rows][vocab]
  bool float_activations;           // debug path: float64 sums over unpacked weights and float activations
  const std::atomic<bool>* cancel;  // may be null
  const Thresholds* thresholds;     // null: every row is dense
  float* tap;  // null, or [rows][layers][tap_width()]: what enters the four matrices, dropped channels zero
};

constexpr int kMaxRows = 512;  // rows of one step

// Rows of activations with their own storage.
struct RowBuffer {
  PagedVector<int8_t> q;
  std::vector<int> sum32, sum16;
  std::vector<float> scale32, scale256;
  PagedVector<float> x;      // empty where no float weights read it
  std::vector<int8_t> kept;  // what survives of row 0, listed: empty before the first sparse row
  std::vector<uint16_t> index;
  std::vector<int> start, middle;
  std::vector<float> masked;
  int stride = 0;
  void reserve(int rows, int inputs, bool with_float);
  // Quantizes x[0..n) as channels begin .. begin + n of a row in the form m reads; begin is a multiple of 256.
  // A matrix of K-quants and 32-channel types together gets one scale per 256 channels for both.
  void quantize(const Kernels& k, const Matrix& m, const float* x, int begin, int n, int row);
  // The same of row 0 without the channels under `threshold`, for survivors().
  void sparsify(const Kernels& k, const Matrix& m, const float* threshold, const float* x, int begin, int n);
  Activations survivors() const;
  Rows view(int rows) const;
  Activations row(int r, const struct DensePattern& dense) const;
};

struct DensePattern {  // the index lists of a row in which every channel survives
  std::vector<uint16_t> index;
  std::vector<int> start, middle;
  explicit DensePattern(int inputs);
};

class Decoder {
 public:
  Decoder(const DecoderConfig& config, Weights weights);
  ~Decoder();
  const DecoderConfig config;
  const Weights weights;

  size_t page_halves() const {
    return static_cast<size_t>(config.layers) * 2 * config.kv_heads * config.head_dim * kPageTokens;
  }
  // Channels that enter a layer's matrices: qkv, out, gate_up and down, in this order.
  size_t tap_width() const {
    return 2 * static_cast<size_t>(config.width) + static_cast<size_t>(config.heads) * config.head_dim + config.hidden;
  }
  // Runs one step over pages at `pool` (page p at pool + p * page_halves()). False when cancelled. Not reentrant.
  bool run(uint16_t* pool, const Step& step);
  ThreadPool& pool() { return threads_; }

 private:
  friend struct OneRow;
  friend struct ManyRows;
  bool cancelled(const Step& s) const { return s.cancel && s.cancel->load(std::memory_order_relaxed); }
  void embed(int token, float* x) const;
  void angles(int position, float* cos_sin) const;  // [head_dim]: cosines, then sines
  void rotate(float* head, const float* cos_sin) const;
  uint16_t* keys(uint16_t* pool, int page, int layer, int kv_head) const;
  uint16_t* values(uint16_t* pool, int page, int layer, int kv_head) const;
  // What the first `length` positions of a page table have in a block; none beyond them.
  BlockPages block_pages(uint16_t* pool, const int* pages, int layer, int kv_head, int block, int length) const;
  void store_kv(uint16_t* pool, const int* pages, int position, int layer, int kv_head, const float* k,
                const float* v) const;

  const Kernels& k_;
  ThreadPool threads_;
  bool float_weights_ = false;  // some matrix reads float activations
  std::vector<float> rope_;     // inverse frequencies [head_dim / 2]
  DensePattern dense_;
  std::unique_ptr<class HeadScreen> screen_;
  std::unique_ptr<struct OneRow> one_;
  std::unique_ptr<struct ManyRows> many_;
};

// The float64 debug product of one unit: y[row * ldy + 0..127] = unit's unpacked weights times x.
void float_product(const Matrix& m, int unit, const float* x, int rows, int stride, float* y, size_t ldy);

}  // namespace midline
