#include "matrices.h"

#include <algorithm>

#include "packing/gguf_blocks.h"
#include "packing/pack.h"

namespace midline::test {

std::vector<uint8_t> random_rows(int type, int rows, int inputs, int code_bits) {
  std::vector<uint8_t> bytes(row_bytes(type, inputs) * rows);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(code_bits < 0 ? rng() : static_cast<unsigned>(code_bits));
  auto half = [&](uint8_t* p) {
    const uint16_t h = float_to_half(0.01f * normal());
    std::memcpy(p, &h, 2);
  };
  for (size_t at = 0; at < bytes.size(); at += block_bytes(type)) {
    uint8_t* b = bytes.data() + at;
    if (type == F32) {
      const float w = normal();
      std::memcpy(b, &w, 4);
    } else if (type == Q6_K) half(b + 208);
    else half(b);
    if (type == Q4_1 || type == Q4_K) half(b + 2);
  }
  return bytes;
}

namespace {

int run_bytes(const std::vector<uint8_t>& types, int panels) {
  int all = 0;
  for (int t : types) all += code_bytes(t);
  return (all + panels - 1) / panels;
}

}  // namespace

Packed::Packed(int inputs, const std::vector<uint8_t>& types, int panels, int items, int code_bits)
    : m(plan_matrix(inputs, types, run_bytes(types, panels), items)), bytes(m.bytes) {
  for (size_t u = 0; u < types.size(); u++) {
    const int rows = u + 1 == types.size() ? kLastRows : kUnit;
    source.push_back(random_rows(types[u], rows, inputs, code_bits));
    pack_unit(m, static_cast<int>(u), source.back().data(), rows, bytes.data());
  }
  m.data = bytes.data();
}

Batch::Batch(const Matrix& m, int rows, const std::vector<float>& values)
    : rows(rows),
      inputs(m.inputs),
      stride(m.superblocks() * kSuper),
      x(static_cast<size_t>(rows) * stride),
      q(x.size()),
      sum32(x.size() / 32),
      sum16(x.size() / 16),
      scale32(x.size() / 32),
      scale256(x.size() / 256) {
  for (int r = 0; r < rows; r++) {
    const size_t at = static_cast<size_t>(r) * stride;
    std::copy_n(values.begin() + static_cast<size_t>(r) * inputs, inputs, x.data() + at);
    scalar_kernels().quantize(x.data() + at, inputs, m.needs_q256 ? 256 : 32, q.data() + at,
                              m.needs_q256 ? scale256.data() + at / 256 : scale32.data() + at / 32,
                              sum32.data() + at / 32, sum16.data() + at / 16);
  }
}

namespace {

struct List {
  std::vector<int8_t> q;
  std::vector<uint16_t> index;

  void pad(const Batch& b, int channel) {  // to a quad, with zeros of any channel of the superblock
    const int base = channel / kSuper * kSuper, span = std::min(kSuper, b.inputs - base);
    while (q.size() % 4) q.push_back(0), index.push_back(static_cast<uint16_t>(rng() % static_cast<unsigned>(span)));
  }
  int size() const { return static_cast<int>(q.size()); }
};

}  // namespace

Survivors survivors(const Batch& b, int row, const std::vector<bool>& keep, bool halves) {
  const size_t at = static_cast<size_t>(row) * b.stride, groups = static_cast<size_t>(b.inputs) / kGroup;
  List list;
  std::vector<int> start{0}, middle, sum32, sum16;
  std::vector<float> x(b.x.data() + at, b.x.data() + at + b.inputs);
  for (int c = 0; c < b.inputs; c++) {
    if (c % 16 == 0) sum16.push_back(0);
    if (keep[c])
      list.q.push_back(b.q[at + c]), list.index.push_back(static_cast<uint16_t>(c % kSuper)),
          sum16.back() += b.q[at + c];
    else x[c] = 0.0f;
    if (c % 32 == 31 || (halves && c % 32 == 15)) list.pad(b, c);
    if (c % 32 == 15) middle.push_back(list.size());
    if (c % 32 == 31) start.push_back(list.size()), sum32.push_back(sum16.back() + sum16[sum16.size() - 2]);
  }
  const std::vector<float> scale32(b.scale32.data() + at / 32, b.scale32.data() + at / 32 + groups);
  const std::vector<float> scale256(b.scale256.data() + at / 256, b.scale256.data() + (at + b.stride) / 256);
  const bool dense = std::find(keep.begin(), keep.end(), false) == keep.end();
  return {Guarded(list.q), Guarded(list.index), Guarded(start),    Guarded(middle), Guarded(sum32),
          Guarded(sum16),  Guarded(scale32),    Guarded(scale256), Guarded(x),      dense};
}

// The item that follows in the order of whole_gemv; nothing follows the last.
static Upcoming next_item(const Matrix& m, int panel, int chunk) {
  if (chunk + 1 < m.chunk_count()) return {&m, panel, chunk + 1};
  if (panel + 1 < static_cast<int>(m.panels.size())) return {&m, panel + 1, 0};
  return {};
}

std::vector<float> whole_gemv(const Kernels& k, const Matrix& m, const Activations& a) {
  std::vector<float> total(m.outputs());
  for (size_t panel = 0; panel < m.panels.size(); panel++) {
    const int first = m.panels[panel].first_unit * kUnit, count = m.panels[panel].units * kUnit;
    Guarded<float> out(count), blk(count);
    for (int c = 0; c < m.chunk_count(); c++) {
      out.poison(), blk.poison();
      k.gemv(m, static_cast<int>(panel), c, a, next_item(m, static_cast<int>(panel), c), out.data(), blk.data());
      for (int o = 0; o < count; o++) total[first + o] = c ? total[first + o] + out[o] : out[o];
    }
  }
  return total;
}

}  // namespace midline::test
