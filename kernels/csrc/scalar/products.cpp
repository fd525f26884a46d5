// Scalar reference of the products: the arithmetic of kernels.h, one output at a time.
#include "scalar/products.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "packing/half.h"
#include "packing/pack.h"
#include "packing/screen.h"

namespace midline::scalar {
namespace {

// One unit's codes and scales in one superblock, and the groups of channels to sum.
struct Source {
  int type, channels;
  const uint8_t* runs;
  size_t run;
  const uint8_t* scales;
};

Source source(const Matrix& m, int unit, int sb) {
  const Panel& p = m.panels[m.unit_panel[unit]];
  Source s{m.unit_type[unit], m.channels(sb), m.superblock(p, sb), static_cast<size_t>(p.run_bytes), m.scales(p, sb)};
  for (int u = p.first_unit; u < unit; u++)
    s.runs += code_bytes(m.unit_type[u]), s.scales += scale_bytes(m.unit_type[u], s.channels);
  return s;
}

int sum_codes(const Source& s, const Activations& a, int begin, int end, int sum, int o) {
  int total = -zero_point(s.type) * sum;
  for (int i = begin; i < end; i++) total += unit_code(s.type, s.runs + a.index[i] * s.run, o) * a.q[i];
  return total;
}

float legacy(const Source& s, const Activations& a, int sb, int o, float acc) {
  const int groups = s.channels / kGroup;
  for (int g = 0; g < groups; g++) {
    const int at = sb * 8 + g;
    const float sum = static_cast<float>(sum_codes(s, a, a.start[at], a.start[at + 1], a.sum32[at], o));
    acc = std::fma(load_half(s.scales + (g * kUnit + o) * 2) * a.scale32[at], sum, acc);
    if (s.type == Q4_1)
      acc = std::fma(load_half(s.scales + ((groups + g) * kUnit + o) * 2),
                     a.scale32[at] * static_cast<float>(a.sum32[at]), acc);
  }
  return acc;
}

float q4k(const Source& s, const Activations& a, int sb, int o, float acc) {
  float blk = 0.0f;
  int mins = 0;
  for (int g = 0; g < 8; g++) {
    const int at = sb * 8 + g;
    blk = std::fma(static_cast<float>(s.scales[g * kUnit + o]),
                   static_cast<float>(sum_codes(s, a, a.start[at], a.start[at + 1], a.sum32[at], o)), blk);
    mins += s.scales[8 * kUnit + (g / 2 * kUnit + o) * 2 + g % 2] * a.sum32[at];
  }
  acc = std::fma(load_half(s.scales + 16 * kUnit + 2 * o) * a.scale256[sb], blk, acc);
  return std::fma(0.0f - load_half(s.scales + 18 * kUnit + 2 * o) * a.scale256[sb], static_cast<float>(mins), acc);
}

float q6k(const Source& s, const Activations& a, int sb, int o, float acc) {
  float blk = 0.0f;
  for (int g = 0; g < 16; g++) {
    const int at = sb * 8 + g / 2;
    const int begin = g % 2 ? a.middle[at] : a.start[at], end = g % 2 ? a.start[at + 1] : a.middle[at];
    blk = std::fma(static_cast<float>(static_cast<int8_t>(s.scales[g * kUnit + o])),
                   static_cast<float>(sum_codes(s, a, begin, end, a.sum16[2 * at + g % 2], o)), blk);
  }
  return std::fma(load_half(s.scales + 16 * kUnit + 2 * o) * a.scale256[sb], blk, acc);
}

float floating(const Source& s, const Activations& a, int sb, int o, float acc) {
  for (int c = 0; c < s.channels; c++) {
    const uint8_t* w = s.runs + c * s.run;
    float weight;
    if (s.type == F16) weight = load_half(w + 2 * o);
    else std::memcpy(&weight, w + 4 * o, 4);
    acc = std::fma(weight, a.x[sb * kSuper + c], acc);
  }
  return acc;
}

// K-quants requantized to 8 bits for products of many rows (simd/fold.inc), one scale per output and superblock.
float folded(const Source& s, const Activations& a, int sb, int o, float acc) {
  const int groups = s.type == Q6_K ? 16 : 8;
  const float d = load_half(s.scales + 16 * kUnit + 2 * o), top = s.type == Q6_K ? 63.0f : 15.0f;
  float low[16], step[16], bound = 0.0f;
  for (int g = 0; g < groups; g++) {
    step[g] = d * (s.type == Q6_K ? static_cast<float>(static_cast<int8_t>(s.scales[g * kUnit + o]))
                                  : static_cast<float>(s.scales[g * kUnit + o]));
    low[g] = s.type == Q6_K ? -32.0f * step[g]
                            : 0.0f - load_half(s.scales + 18 * kUnit + 2 * o) *
                                         static_cast<float>(s.scales[8 * kUnit + (g / 2 * kUnit + o) * 2 + g % 2]);
    const float high = top * step[g];
    bound = std::max({bound, std::fabs(low[g]), std::fabs(low[g] + high)});
  }
  const float inverse = bound > 1e-30f ? 127.0f / bound * 256.0f : 0.0f;
  int sum = 0;
  for (int c = 0; c < kSuper; c++) {
    const int g = c / (kSuper / groups);
    const int gain = static_cast<int>(std::nearbyint(step[g] * inverse)),
              offset = static_cast<int>(std::nearbyint(low[g] * inverse)) + 128 * 256 + 128;
    const int weight = (unit_code(s.type, s.runs + c * s.run, o) * gain + offset) >> 8 & 255;
    sum += (weight - 128) * a.q[sb * kSuper + c];
  }
  return std::fma(bound / 127.0f * a.scale256[sb], static_cast<float>(sum), acc);
}

float product(const Matrix& m, int unit, int chunk, const Activations& a, int o, bool fold) {
  float acc = 0.0f;
  for (int sb = m.chunks[chunk]; sb < m.chunks[chunk + 1]; sb++) {
    const Source s = source(m, unit, sb);
    acc = is_float(s.type)             ? floating(s, a, sb, o, acc)
          : fold && is_k_quant(s.type) ? folded(s, a, sb, o, acc)
          : s.type == Q4_K             ? q4k(s, a, sb, o, acc)
          : s.type == Q6_K             ? q6k(s, a, sb, o, acc)
                                       : legacy(s, a, sb, o, acc);
  }
  return acc;
}

}  // namespace

void gemv(const Matrix& m, int panel, int chunk, const Activations& a, const Upcoming&, float* out, float*) {
  const Panel& p = m.panels[panel];
  for (int u = 0; u < p.units; u++)
    for (int o = 0; o < kUnit; o++) out[u * kUnit + o] = product(m, p.first_unit + u, chunk, a, o, false);
}

void gemm(const Matrix& m, int first, int units, const Rows& a, const UpcomingUnits&, float* c, size_t ldc, void*) {
  std::vector<uint16_t> index(a.stride);
  std::vector<int> start(a.stride / kGroup + 1), middle(a.stride / kGroup);
  for (int i = 0; i < a.stride; i++) index[i] = static_cast<uint16_t>(i % kSuper);
  for (size_t g = 0; g < middle.size(); g++) start[g + 1] = static_cast<int>(g + 1) * kGroup, middle[g] = start[g] + 16;
  for (int r = 0; r < a.rows; r++) {
    const size_t k = static_cast<size_t>(r) * a.stride;
    const Activations row{
        a.q + k,          index.data(),       start.data(),         middle.data(),           a.sum32 + k / 32,
        a.sum16 + k / 16, a.scale32 + k / 32, a.scale256 + k / 256, a.x ? a.x + k : nullptr, true};
    for (int o = 0; o < units * kUnit; o++) {
      const int unit = first + o / kUnit, at = o % kUnit;
      float total = product(m, unit, 0, row, at, a.rows > kExactRows);
      for (int chunk = 1; chunk < m.chunk_count(); chunk++)
        total += product(m, unit, chunk, row, at, a.rows > kExactRows);
      c[r * ldc + o] = total;
    }
  }
}

void screen(const uint8_t* unit, const int8_t* q, const float* scale, const int* sum64, int inputs, float* y) {
  for (int o = 0; o < kUnit; o++) {
    float acc = 0.0f;
    const uint8_t* block = unit;
    for (int b = 0; b < inputs / kScreenGroup; b++, block += kScreenBlockBytes) {
      int sum = -3 * sum64[b];
      for (int c = 0; c < kScreenGroup; c++) {
        const uint8_t byte = block[c / 4 * 128 + o / 64 * 64 + o % 16 * 4 + c % 4];
        sum += 2 * (byte >> (o % 64 / 16 * 2) & 3) * q[b * kScreenGroup + c];
      }
      acc = std::fma(load_half(block + kScreenGroup / 4 * 128 + 2 * o) * scale[b], static_cast<float>(sum), acc);
    }
    y[o] = acc;
  }
}

int dot_chains(int rounds, int64_t* multiply_adds) {
  volatile int8_t code = 1;  // so that the compiler does not compute all rounds at once
  int sum = 0;
  for (int r = 0; r < rounds; r++)
    for (int i = 0; i < 4; i++) sum += code * code;
  *multiply_adds = 4 * static_cast<int64_t>(rounds);
  return sum;
}

}  // namespace midline::scalar
