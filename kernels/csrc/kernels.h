// Contracts of every kernel and the table that dispatch.cpp fills once at start.
//
// Arithmetic every implementation of a product follows, so that results do not depend on rows, samples or threads:
//   activations are int8 with one scale per 32 channels (legacy types) or per 256 (K-quants); integer sums are exact;
//   legacy:  acc = fma(weight_scale * activation_scale, float(sum_g), acc)        groups g in order
//            Q4_1 then acc = fma(weight_min, activation_scale * float(activation_sum_g), acc)
//   K-quant: blk = fma(scale_g, float(sum_g), blk)                                groups g of a superblock in order
//            then acc = fma(d * activation_scale, blk, acc)
//            Q4_K then acc = fma(-(dmin * activation_scale), float(sum_g min_g * activation_sum_g), acc)
//   float:   acc = fma(weight, activation, acc)                                   channels in order
//   acc starts at 0 in every chunk; chunks are added in order by the caller (GEMV) or the kernel (GEMM).
#pragma once
#include <cstddef>
#include <cstdint>

#include "packing/layout.h"
#include "threading/share.h"

namespace midline {

// One row of activations as the surviving channels in order, every 32-channel group padded to quads with q = 0.
struct Activations {
  const int8_t* q;        // [start[groups]]
  const uint16_t* index;  // [start[groups]] channel within its superblock
  const int* start;       // [groups + 1] first survivor of each 32-channel group
  const int* middle;      // [groups] first survivor of the group's upper 16 channels (a quad border if Q6_K is present)
  const int* sum32;       // [groups] sum of q
  const int* sum16;       // [2 * groups]
  const float* scale32;   // [groups] for q quantized per 32 channels
  const float* scale256;  // [superblocks] for q quantized per 256
  const float* x;         // [inputs] float activations (F16 and F32 weights)
  bool dense;             // every channel survives
};

// What the thread multiplies after the item at hand, fetched ahead so that memory keeps working between calls.
struct Upcoming {
  const Matrix* m = nullptr;  // null: nothing
  int panel = 0, chunk = 0;
};

// The same for a product of several rows: units [first, first + units).
struct UpcomingUnits {
  const Matrix* m = nullptr;  // null: nothing
  int first = 0, units = 0;
};

// Where `sparsify` lists what survives of a row: the arrays that Activations reads, written from their first entry on,
// and the row itself with the dropped channels zero. q and index take kListSlack entries more than there are channels.
struct SurvivorLists {
  int8_t* q;
  uint16_t* index;
  int *start, *middle;
  float* scale;  // one for each 32 or 256 channels
  int *sum32, *sum16;
  float* x;
};
constexpr int kListSlack = 16;

// Activations of many rows, dense.
struct Rows {
  const int8_t* q;        // [rows][stride]
  const int* sum32;       // [rows][stride / 32]
  const int* sum16;       // [rows][stride / 16]
  const float* scale32;   // [rows][stride / 32]
  const float* scale256;  // [rows][stride / 256]
  const float* x;         // [rows][stride]
  int rows, stride;       // stride: inputs rounded up to 256
};

constexpr int kPageTokens = 32;    // tokens of a KV page
constexpr int kBlockTokens = 256;  // keys of an attention block: the unit in which softmax parts are joined

// One block of keys of one KV head.
struct BlockPages {
  const uint16_t* keys[kBlockTokens / kPageTokens];    // f16 [head_dim][32]: keys of a page, transposed
  const uint16_t* values[kBlockTokens / kPageTokens];  // f16 [32][head_dim]
  int count = 0;                                       // keys, up to 256; 0: no block
  int pages() const { return (count + kPageTokens - 1) / kPageTokens; }
};

struct AttentionBlock {
  BlockPages now, next;  // next: read after this one, so fetched meanwhile
  int head_dim;
};

struct Kernels {
  const char* name;
  bool folds;  // gemm of more than kExactRows rows folds K-quants; otherwise a row's result never depends on the others
  // out[panel units * 128] = the product over chunk `chunk` of panel `panel`; blk is scratch of the same size.
  void (*gemv)(const Matrix& m, int panel, int chunk, const Activations& a, const Upcoming& next, float* out,
               float* blk);
  // c[row * ldc + 0 .. 128 * units - 1] = units `first` .. times rows [0, a.rows), all chunks; at most
  // gemm_units(a.rows) of them; scratch: gemm_scratch_bytes().
  void (*gemm)(const Matrix& m, int first, int units, const Rows& a, const UpcomingUnits& next, float* c, size_t ldc,
               void* scratch);
  // q[n], scales and sums of one row; n a multiple of 32. block: 32 or 256.
  void (*quantize)(const float* x, int n, int block, int8_t* q, float* scale, int* sum32, int* sum16);
  // y = x with the channels |x[c]| <= threshold[c] zero (arXiv 2408.14690, equation 2); NaN stays.
  void (*drop_small)(const float* x, const float* threshold, int n, float* y);
  // drop_small, quantize, and the list of the channels whose code is not zero, every group padded to quads; `halves`:
  // every half group too, as Q6_K needs it. n a multiple of 32; index counts within 256 channels from x on.
  void (*sparsify)(const float* x, const float* threshold, int n, int block, bool halves, const SurvivorLists& to);
  // y = x / sqrt(mean(x^2) + eps) * w
  void (*rms_norm)(const float* x, const float* w, int n, float eps, float* y);
  void (*add)(float* x, const float* y, int n);                         // x += y
  void (*swiglu)(const float* gate, const float* up, int n, float* y);  // y = gate / (1 + exp(-gate)) * up
  // Scores, maximum, exponentials and weighted values of `queries` x one block; limits[i] <= count keys are visible to
  // query i (0: none). out[i * ldo ..] = sum p v, max[i], sum[i]; scratch: attention_scratch_bytes(head_dim).
  void (*attend)(const AttentionBlock& b, const float* q, int queries, const int* limits, float* out, int ldo,
                 float* max, float* sum, void* scratch);
  // Joins a block's part into a running (out, max, sum).
  void (*join)(float* out, float* max, float* sum, const float* part, float part_max, float part_sum, int head_dim);
  // Low-bit screen: y[units * 128] ~ W x from 2-bit codes; see packing/screen.h.
  void (*screen)(const uint8_t* unit, const int8_t* q, const float* scale, const int* sum64, int inputs, float* y);
  // exp over n values, and the sum of exp(x - max): used by log-probabilities.
  double (*sum_exp)(const float* x, int n, float max);
  // The largest of n values, NaN left out; minus infinity if there is none.
  float (*peak)(const float* x, int n);
  // Rounds of dot products in registers: how many multiply-adds they were, and 4 * rounds.
  int (*dot_chains)(int rounds, int64_t* multiply_adds);
};

constexpr int kExactRows = 32;     // above it K-quants may be folded to 8 bits: rows then depend on their number
constexpr size_t kGemmRows = 512;  // rows one gemm call takes at most
// Units one gemm call takes at most. Few rows wait for memory, which reads long runs faster; many rows compute.
constexpr int gemm_units(int rows) { return rows > kExactRows ? 1 : 16; }
constexpr size_t kTileBytes = 96 * 1024;
constexpr size_t gemm_scratch_bytes() { return kTileBytes + kGemmRows * kUnit * sizeof(float); }
static_assert(static_cast<size_t>(gemm_units(kExactRows)) * kExactRows <= kGemmRows);
constexpr size_t attention_scratch_bytes(int head_dim) {
  return (2u * kBlockTokens * static_cast<size_t>(head_dim) + 16u * kBlockTokens) * sizeof(float);
}

const Kernels& scalar_kernels();
const Kernels* avx2_kernels();  // null when not built for this architecture
const Kernels* avx2vnni_kernels();
const Kernels* avx512_kernels();
const Kernels* neon_kernels();

// The kernels of this machine, or those MIDLINE_KERNELS names; throws std::invalid_argument naming what is possible.
const Kernels& kernels();

}  // namespace midline
