// The contract of every kernel, and the table of one instruction set's kernels.
//
// Row invariance: all implementations of a product follow the same arithmetic, so that results do not depend on the
// number of rows, samples or threads:
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

// One row of quantized activations: the channels that survive TEAL, in order, each 32-channel group padded to a
// multiple of four with q = 0.
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

// What the thread multiplies next. Kernels prefetch it, so that memory is also busy between calls.
struct Upcoming {
  const Matrix* m = nullptr;  // null: nothing
  int panel = 0, chunk = 0;
};

// The same for GEMM: units [first, first + units).
struct UpcomingUnits {
  const Matrix* m = nullptr;  // null: nothing
  int first = 0, units = 0;
};

// Output of `sparsify`: the arrays of Activations, and the row itself with its dropped channels zero. q and index must
// have room for kListSlack entries more than there are channels.
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
constexpr int kBlockTokens = 256;  // keys of an attention block, the step of the online softmax

// One block of keys of one KV head.
struct BlockPages {
  const uint16_t* keys[kBlockTokens / kPageTokens];    // f16 [head_dim][32]: keys of a page, transposed
  const uint16_t* values[kBlockTokens / kPageTokens];  // f16 [32][head_dim]
  int count = 0;                                       // keys, up to 256; 0: no block
  int pages() const { return (count + kPageTokens - 1) / kPageTokens; }
};

struct AttentionBlock {
  BlockPages now, next;  // next: prefetched while `now` is computed
  int head_dim;
};

struct Kernels {
  const char* name;
  bool folds;  // gemm requantizes K-quants to 8 bits for more than kExactRows rows; if not, rows are always independent
  // GEMV: out[panel units * 128] = the product of one row with chunk `chunk` of panel `panel`; blk: scratch of that
  // size.
  void (*gemv)(const Matrix& m, int panel, int chunk, const Activations& a, const Upcoming& next, float* out,
               float* blk);
  // GEMM: c[row * ldc + 0 .. 128 * units - 1] = units `first` .. times rows [0, a.rows), all chunks; at most
  // gemm_units(a.rows) of them; scratch: gemm_scratch_bytes().
  void (*gemm)(const Matrix& m, int first, int units, const Rows& a, const UpcomingUnits& next, float* c, size_t ldc,
               void* scratch);
  // Dynamic quantization of one row: q[n] = round(x / scale), scale = max |x| / 127 of each `block` (32 or 256)
  // channels, and sums of q; n is a multiple of 32.
  void (*quantize)(const float* x, int n, int block, int8_t* q, float* scale, int* sum32, int* sum16);
  // y = x with the channels |x[c]| <= threshold[c] zero (arXiv 2408.14690, equation 2); NaN stays.
  void (*drop_small)(const float* x, const float* threshold, int n, float* y);
  // drop_small, then quantize, then the list of the channels whose code is not zero, padded as Activations says; with
  // `halves` each 16-channel half of a group is padded too, as Q6_K needs it. n is a multiple of 32; index counts from
  // the superblock's first channel.
  void (*sparsify)(const float* x, const float* threshold, int n, int block, bool halves, const SurvivorLists& to);
  // y = x / sqrt(mean(x^2) + eps) * w
  void (*rms_norm)(const float* x, const float* w, int n, float eps, float* y);
  void (*add)(float* x, const float* y, int n);                         // x += y
  void (*swiglu)(const float* gate, const float* up, int n, float* y);  // y = gate / (1 + exp(-gate)) * up
  // Attention of `queries` rows to one block of keys: scores, their maximum and exponentials, weighted values. The
  // first limits[i] <= count keys are visible to query i. out[i * ldo ..] = sum p v, max[i], sum[i] = sum p; scratch:
  // attention_scratch_bytes(head_dim).
  void (*attend)(const AttentionBlock& b, const float* q, int queries, const int* limits, float* out, int ldo,
                 float* max, float* sum, void* scratch);
  // Online softmax (arXiv 1805.02867): joins one block's out, max and sum into those of the blocks before it.
  void (*join)(float* out, float* max, float* sum, const float* part, float part_max, float part_sum, int head_dim);
  // y[128] ~ W x of one unit, from the 2-bit codes of packing/screen.h.
  void (*screen)(const uint8_t* unit, const int8_t* q, const float* scale, const int* sum64, int inputs, float* y);
  // Sum of exp(x - max) over n values, for log-probabilities.
  double (*sum_exp)(const float* x, int n, float max);
  // The largest of n values, NaN ignored; minus infinity if there is none.
  float (*peak)(const float* x, int n);
  // Peak arithmetic: `rounds` of 8-bit dot products in registers. Sets the number of multiply-adds, returns 4 * rounds.
  int (*dot_chains)(int rounds, int64_t* multiply_adds);
};

constexpr int kExactRows = 32;  // with more rows K-quants may be requantized to 8 bits, which changes results slightly
constexpr size_t kGemmRows = 512;  // most rows of one GEMM call
// Most units of one GEMM call. Few rows are bound by memory, which long contiguous reads use best; many by arithmetic.
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
const Kernels* neoni8mm_kernels();

// The kernels that dispatch.h chooses for this CPU. Throws std::invalid_argument if MIDLINE_KERNELS names others.
const Kernels& kernels();

}  // namespace midline
