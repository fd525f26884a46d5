// The packed weight layout: one copy of the weights serves GEMV (decode) and GEMM (prefill).
//
// Outputs are grouped in units of 128 and units in panels; inputs (channels) in superblocks of 256 (the last one may be
// shorter, always a multiple of 32) and superblocks in chunks. A panel is contiguous. Inside it, for each superblock:
//   [channels][run]   one run per channel: the codes of every unit of the panel, one unit after the other
//   [unit][scales]    the scales of the superblock, unit after unit
// The weights of a channel, which TEAL skips together, are one contiguous run. Codes and scales are exactly those of
// the GGUF blocks.
//
// The 4-bit codes of a channel and unit are 64 bytes. With outputs numbered 16v + 4L + i (v = 0..7, L and i = 0..3),
// byte 16L + 4k + i (k = 0..3) holds the code of v = k in its low half and of v = k + 4 in its high half. Interleaving
// the bytes of four channels then leaves, in every 32-bit lane, their codes of one output: the operand of an 8-bit dot
// product. Q8_0 codes are two such lines of whole bytes, v = 0..3 and v = 4..7. The bits above the nibbles follow: byte
// 64 + 4L + i has bit v for output v (Q5_0), byte 64 + 16 (v / 4) + 4L + i has bits 2 (v % 4) and the next (Q6_K).
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace midline {

// ggml's numbers.
enum Type : int { F32 = 0, F16 = 1, Q4_0 = 2, Q4_1 = 3, Q5_0 = 6, Q8_0 = 8, Q4_K = 12, Q6_K = 14 };

constexpr int kUnit = 128;   // outputs of a unit
constexpr int kSuper = 256;  // channels of a superblock
constexpr int kGroup = 32;   // channels that share one weight scale (16 in Q6_K)
constexpr size_t padded(int outputs) { return static_cast<size_t>(outputs + kUnit - 1) / kUnit * kUnit; }
constexpr int kLayoutVersion = 2;  // part of the key of cached packed files

constexpr bool is_k_quant(int t) { return t == Q4_K || t == Q6_K; }
constexpr bool is_float(int t) { return t == F32 || t == F16; }
constexpr bool is_supported(int t) {
  return is_float(t) || t == Q4_0 || t == Q4_1 || t == Q5_0 || t == Q8_0 || is_k_quant(t);
}

// Codes are stored unsigned; the weight of code c is scale * (c - zero_point) (+ minimum).
constexpr int zero_point(int t) { return t == Q4_0 ? 8 : t == Q5_0 ? 16 : t == Q8_0 ? 128 : t == Q6_K ? 32 : 0; }

// Bytes of one channel's codes in one unit.
constexpr int code_bytes(int t) {
  return t == Q5_0 ? 80 : t == Q6_K ? 96 : t == Q8_0 ? 128 : t == F16 ? 256 : t == F32 ? 512 : 64;
}

// Bytes of one unit's scales in a superblock of `channels`.
// Q4_0 Q5_0 Q8_0: f16 d[g][128]; Q4_1: f16 d[g][128], f16 m[g][128];
// Q4_K: u8 scale[8][128], u8 min[4][128][2], f16 d[128], f16 dmin[128]; Q6_K: i8 scale[16][128], f16 d[128].
constexpr int scale_bytes(int t, int channels) {
  if (is_float(t)) return 0;
  if (t == Q4_K) return 20 * kUnit;
  if (t == Q6_K) return 18 * kUnit;
  return channels / kGroup * kUnit * (t == Q4_1 ? 4 : 2);
}

// Source (GGUF) geometry.
constexpr int block_inputs(int t) { return is_k_quant(t) ? 256 : is_float(t) ? 1 : 32; }
constexpr int block_bytes(int t) {
  return t == Q4_0   ? 18
         : t == Q4_1 ? 20
         : t == Q5_0 ? 22
         : t == Q8_0 ? 34
         : t == Q4_K ? 144
         : t == Q6_K ? 210
         : t == F16  ? 2
                     : 4;
}

struct Span {                   // neighbouring units of one type inside a panel
  int type, units, first_unit;  // first_unit: counted from the panel's first
  int code_offset;              // bytes from the start of a run
};

struct Panel {
  size_t offset;  // bytes from the start of the matrix
  int first_unit, units;
  int run_bytes;   // one channel's codes of the whole panel
  int scale_full;  // scale bytes of a full superblock
  std::vector<Span> spans;
};

// One weight matrix in this layout.
struct Matrix {
  int inputs = 0;
  int units = 0;
  std::vector<uint8_t> unit_type;  // [units]
  std::vector<int> unit_panel;     // [units]
  std::vector<Panel> panels;
  std::vector<int> chunks;  // first superblock of each chunk, and superblocks() at the end
  size_t bytes = 0;
  const uint8_t* data = nullptr;
  bool needs_q32 = false, needs_q256 = false, needs_float = false;
  bool has_halves = false;  // Q6_K: a scale for each 16 channels

  int outputs() const { return units * kUnit; }
  int superblocks() const { return (inputs + kSuper - 1) / kSuper; }
  int channels(int sb) const {
    int left = inputs - sb * kSuper;
    return left < kSuper ? left : kSuper;
  }
  int chunk_count() const { return static_cast<int>(chunks.size()) - 1; }
  int items() const { return static_cast<int>(panels.size()) * chunk_count(); }
  // Only the last superblock may be short, so those before `sb` are full.
  const uint8_t* superblock(const Panel& p, int sb) const {
    return data + p.offset + static_cast<size_t>(sb) * (static_cast<size_t>(kSuper) * p.run_bytes + p.scale_full);
  }
  const uint8_t* scales(const Panel& p, int sb) const {
    return superblock(p, sb) + static_cast<size_t>(channels(sb)) * p.run_bytes;
  }
};

// Lays out a matrix of `unit_types.size()` units: the fewest panels (a power of two, or one per unit) whose runs have
// at most `run_bytes`, and enough chunks for `min_items` work items (panels times chunks), as far as superblocks allow.
Matrix plan_matrix(int inputs, const std::vector<uint8_t>& unit_types, int run_bytes, int min_items);

}  // namespace midline
