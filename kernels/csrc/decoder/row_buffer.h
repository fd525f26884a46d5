// Quantized activations and their storage.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels.h"
#include "memory/huge_pages.h"

namespace midline {

// The survivor lists of a dense row, in which every channel survives.
struct DensePattern {
  std::vector<uint16_t> index;
  std::vector<int> start, middle;
  explicit DensePattern(int inputs);
};

// Rows of quantized activations. Row 0 may be sparse (TEAL), with survivor lists.
struct RowBuffer {
  int stride = 0;                        // channels of a row, a multiple of 256
  PagedVector<int8_t> q;                 // [rows][stride]
  std::vector<int> sum32, sum16;         // sums of q over 32 and 16 channels
  std::vector<float> scale32, scale256;  // scales per 32 and per 256 channels
  PagedVector<float> x;                  // [rows][stride] float activations; empty if no matrix has float weights
  std::vector<int8_t> kept;              // codes of SurvivorLists for row 0; empty before the first sparse row
  std::vector<uint16_t> index;
  std::vector<int> start, middle;
  std::vector<float> masked;

  void reserve(int rows, int inputs, bool with_float);
  // Quantizes x[0..n) to channels begin .. begin + n of a row, in the form that m reads; begin is a multiple of 256.
  // A matrix that mixes K-quants with types of 32-channel blocks gets one scale per 256 channels for both.
  void quantize(const Kernels& k, const Matrix& m, const float* x, int begin, int n, int row);
  // The same for row 0, less the channels whose magnitude is at most their threshold; survivors() returns the result.
  void sparsify(const Kernels& k, const Matrix& m, const float* threshold, const float* x, int begin, int n);
  Activations survivors() const;
  Activations row(int r, const DensePattern& dense) const;
  Rows view(int rows) const;
};

}  // namespace midline
