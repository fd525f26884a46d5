// Converts GGUF's row-major blocks to the layout of packing/layout.h. Runs once per model, so it is not optimized.
#include "packing/pack.h"

#include <algorithm>
#include <stdexcept>

#include "packing/gguf_blocks.h"

namespace midline {

Matrix plan_matrix(int inputs, const std::vector<uint8_t>& unit_types, int run_bytes, int min_items) {
  Matrix m;
  m.inputs = inputs;
  m.units = static_cast<int>(unit_types.size());
  m.unit_type = unit_types;
  size_t codes = 0;
  for (int t : unit_types) codes += code_bytes(t);
  int panel_count = 1;
  while (panel_count < m.units && codes > static_cast<size_t>(run_bytes) * panel_count)
    panel_count = std::min(2 * panel_count, m.units);
  const int last = m.channels(m.superblocks() - 1);
  for (int p = 0; p < panel_count; p++) {
    Panel panel{m.bytes, m.units * p / panel_count, 0, 0, 0, {}};
    const int end = m.units * (p + 1) / panel_count;
    panel.units = end - panel.first_unit;
    size_t last_scales = 0;
    for (int u = panel.first_unit; u < end; u++) {
      const int t = unit_types[u];
      if (panel.spans.empty() || panel.spans.back().type != t)
        panel.spans.push_back({t, 0, u - panel.first_unit, panel.run_bytes});
      panel.spans.back().units++;
      panel.run_bytes += code_bytes(t);
      panel.scale_full += scale_bytes(t, kSuper);
      last_scales += scale_bytes(t, last);
      m.unit_panel.push_back(p);
      m.needs_q32 |= !is_k_quant(t) && !is_float(t);
      m.needs_q256 |= is_k_quant(t);
      m.needs_float |= is_float(t);
      m.has_halves |= t == Q6_K;
    }
    const size_t full = static_cast<size_t>(kSuper) * panel.run_bytes + panel.scale_full;
    m.bytes += (m.superblocks() - 1) * full + static_cast<size_t>(last) * panel.run_bytes + last_scales;
    m.bytes = (m.bytes + 63) / 64 * 64;
    m.panels.push_back(std::move(panel));
  }
  const int chunks = std::clamp((min_items + panel_count - 1) / panel_count, 1, m.superblocks());
  for (int c = 0; c <= chunks; c++) m.chunks.push_back(m.superblocks() * c / chunks);
  return m;
}

namespace {

void put_codes(int t, uint8_t* unit, int o, uint8_t code) {
  const int v = o / 16, lane = o % 16;
  if (t == Q8_0) {
    unit[v / 4 * 64 + lane / 4 * 16 + v % 4 * 4 + lane % 4] = code;
    return;
  }
  uint8_t& nibble = unit[lane / 4 * 16 + v % 4 * 4 + lane % 4];
  nibble = static_cast<uint8_t>(nibble | (code & 15) << (v / 4 * 4));
  if (t == Q5_0) unit[64 + lane] = static_cast<uint8_t>(unit[64 + lane] | (code >> 4) << v);
  if (t == Q6_K)
    unit[64 + v / 4 * 16 + lane] = static_cast<uint8_t>(unit[64 + v / 4 * 16 + lane] | (code >> 4) << (v % 4 * 2));
}

void put_scales(int t, uint8_t* s, int o, int channels, const uint8_t* block) {
  const int groups = channels / kGroup;
  if (t == Q4_K) {
    for (int g = 0; g < 8; g++) {
      KScale k = q4k_scale(block + 4, g);
      s[g * kUnit + o] = k.scale;
      s[8 * kUnit + (g / 2 * kUnit + o) * 2 + g % 2] = k.min;
    }
    std::memcpy(s + 16 * kUnit + 2 * o, block, 2);
    std::memcpy(s + 18 * kUnit + 2 * o, block + 2, 2);
  } else if (t == Q6_K) {
    for (int g = 0; g < 16; g++) s[g * kUnit + o] = block[192 + g];
    std::memcpy(s + 16 * kUnit + 2 * o, block + 208, 2);
  } else {
    for (int g = 0; g < groups; g++, block += block_bytes(t)) {
      std::memcpy(s + (g * kUnit + o) * 2, block, 2);
      if (t == Q4_1) std::memcpy(s + ((groups + g) * kUnit + o) * 2, block + 2, 2);
    }
  }
}

// One output's superblock. `runs` points at the unit's bytes in the first channel's run.
void pack_output(int t, int o, int channels, const uint8_t* source, uint8_t* runs, size_t stride, uint8_t* scales) {
  uint8_t codes[kSuper];
  const int step = block_inputs(t);
  if (is_float(t)) {
    const int width = block_bytes(t);
    for (int c = 0; c < channels; c++) std::memcpy(runs + c * stride + o * width, source + c * width, width);
    return;
  }
  const uint8_t* block = source;
  for (int c = 0; c < channels; c += step, block += block_bytes(t)) block_codes(t, block, codes + c);
  for (int c = 0; c < channels; c++) put_codes(t, runs + c * stride, o, codes[c]);
  put_scales(t, scales, o, channels, source);
}

}  // namespace

void pack_unit(const Matrix& m, int unit, const uint8_t* rows, int row_count, uint8_t* out) {
  const Panel& p = m.panels[m.unit_panel[unit]];
  const int t = m.unit_type[unit];
  size_t code_offset = 0;
  for (int u = p.first_unit; u < unit; u++) code_offset += code_bytes(m.unit_type[u]);
  for (int sb = 0; sb < m.superblocks(); sb++) {
    const int channels = m.channels(sb);
    uint8_t* base = out + (m.superblock(p, sb) - m.data);
    uint8_t* scales = base + static_cast<size_t>(channels) * p.run_bytes;
    for (int u = p.first_unit; u < unit; u++) scales += scale_bytes(m.unit_type[u], channels);
    for (int c = 0; c < channels; c++)
      std::memset(base + code_offset + static_cast<size_t>(c) * p.run_bytes, 0, code_bytes(t));
    std::memset(scales, 0, scale_bytes(t, channels));
    for (int o = 0; o < row_count; o++)
      pack_output(t, o, channels, rows + o * row_bytes(t, m.inputs) + row_bytes(t, sb * kSuper), base + code_offset,
                  p.run_bytes, scales);
  }
}

void unpack_weights(const Matrix& m, int unit, int sb, float* w) {
  const Panel& p = m.panels[m.unit_panel[unit]];
  const int t = m.unit_type[unit], channels = m.channels(sb), groups = channels / kGroup, zero = zero_point(t);
  const uint8_t* runs = m.superblock(p, sb);
  const uint8_t* s = m.scales(p, sb);
  for (int u = p.first_unit; u < unit; u++)
    runs += code_bytes(m.unit_type[u]), s += scale_bytes(m.unit_type[u], channels);
  for (int c = 0; c < channels; c++, runs += p.run_bytes) {
    const int g = c / kGroup;
    for (int o = 0; o < kUnit; o++) {
      float& out = w[c * kUnit + o];
      if (t == F32) {
        std::memcpy(&out, runs + 4 * o, 4);
        continue;
      }
      if (t == F16) {
        out = load_half(runs + 2 * o);
        continue;
      }
      const int code = unit_code(t, runs, o);
      if (t == Q4_K)
        out = load_half(s + 16 * kUnit + 2 * o) * s[g * kUnit + o] * code -
              load_half(s + 18 * kUnit + 2 * o) * s[8 * kUnit + (g / 2 * kUnit + o) * 2 + g % 2];
      else if (t == Q6_K)
        out = load_half(s + 16 * kUnit + 2 * o) * static_cast<int8_t>(s[c / 16 * kUnit + o]) * (code - zero);
      else
        out = load_half(s + (g * kUnit + o) * 2) * static_cast<float>(code - zero) +
              (t == Q4_1 ? load_half(s + ((groups + g) * kUnit + o) * 2) : 0.0f);
    }
  }
}

}  // namespace midline
