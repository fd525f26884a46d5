#include "decoder/row_buffer.h"

#include <algorithm>

namespace midline {

DensePattern::DensePattern(int inputs) : index(inputs), start(inputs / kGroup + 1), middle(inputs / kGroup) {
  for (int i = 0; i < inputs; i++) index[i] = static_cast<uint16_t>(i % kSuper);
  for (int g = 0; g < inputs / kGroup; g++) start[g + 1] = (g + 1) * kGroup, middle[g] = g * kGroup + 16;
}

void RowBuffer::reserve(int rows, int inputs, bool with_float) {
  stride = (inputs + kSuper - 1) / kSuper * kSuper;
  const size_t n = static_cast<size_t>(rows) * stride;
  q.resize(n);
  sum32.resize(n / kGroup), sum16.resize(n / 16);
  scale32.resize(n / kGroup), scale256.resize(n / kSuper);
  x.resize(with_float ? n : 0);
}

void RowBuffer::quantize(const Kernels& k, const Matrix& m, const float* input, int begin, int n, int row) {
  const size_t at = static_cast<size_t>(row) * stride + begin;
  float *per32 = scale32.data() + at / kGroup, *per256 = scale256.data() + at / kSuper;
  if (m.needs_q32 || m.needs_q256)
    k.quantize(input, n, m.needs_q256 ? kSuper : kGroup, q.data() + at, m.needs_q256 ? per256 : per32,
               sum32.data() + at / kGroup, sum16.data() + at / 16);
  if (m.needs_q32 && m.needs_q256)
    for (int g = 0; g < n / kGroup; g++) per32[g] = per256[g * kGroup / kSuper];
  if (!x.empty()) std::copy(input, input + n, x.begin() + static_cast<std::ptrdiff_t>(at));
}

void RowBuffer::sparsify(const Kernels& k, const Matrix& m, const float* threshold, const float* input, int begin,
                         int n) {
  if (kept.empty()) {
    kept.resize(stride + kListSlack), index.resize(stride + kListSlack);
    start.resize(stride / kGroup + 1), middle.resize(stride / kGroup);
    masked.resize(stride);
  }
  const int group = begin / kGroup, block = m.needs_q256 ? kSuper : kGroup;
  float *per32 = scale32.data() + group, *per256 = scale256.data() + begin / kSuper;
  const SurvivorLists lists{kept.data(),
                            index.data(),
                            start.data() + group,
                            middle.data() + group,
                            m.needs_q256 ? per256 : per32,
                            sum32.data() + group,
                            sum16.data() + begin / 16,
                            masked.data() + begin};
  k.sparsify(input, threshold, n, block, m.has_halves, lists);
  if (m.needs_q32 && m.needs_q256)
    for (int g = 0; g < n / kGroup; g++) per32[g] = per256[g * kGroup / kSuper];
}

Activations RowBuffer::survivors() const {
  return {kept.data(),  index.data(),   start.data(),    middle.data(), sum32.data(),
          sum16.data(), scale32.data(), scale256.data(), masked.data(), false};
}

Activations RowBuffer::row(int r, const DensePattern& d) const {
  const size_t at = static_cast<size_t>(r) * stride;
  return {q.data() + at,
          d.index.data(),
          d.start.data(),
          d.middle.data(),
          sum32.data() + at / kGroup,
          sum16.data() + at / 16,
          scale32.data() + at / kGroup,
          scale256.data() + at / kSuper,
          x.empty() ? nullptr : x.data() + at,
          true};
}

Rows RowBuffer::view(int rows) const {
  return {q.data(), sum32.data(), sum16.data(), scale32.data(), scale256.data(), x.empty() ? nullptr : x.data(),
          rows,     stride};
}

}  // namespace midline
