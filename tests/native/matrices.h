// Random weights in GGUF's blocks and in the packed layout, and activations in both forms that products take.
#pragma once
#include "check.h"

namespace midline::test {

// GGUF rows of random codes, with small finite scales. `code_bits` -1: random; otherwise every byte of codes is that
// byte.
std::vector<uint8_t> random_rows(int type, int rows, int inputs, int code_bits = -1);

constexpr int kLastRows = 77;  // rows of a matrix's last unit

struct Packed {
  Matrix m;
  std::vector<std::vector<uint8_t>> source;  // [units] GGUF rows
  Guarded<uint8_t> bytes;

  Packed(int inputs, const std::vector<uint8_t>& types, int panels, int items, int code_bits = -1);
};

// Rows quantized the way the matrix wants them. Everything beyond `inputs` of a row, and scales of the other form, are
// NaN or nonsense.
struct Batch {
  int rows, inputs, stride;
  Guarded<float> x;
  Guarded<int8_t> q;
  Guarded<int> sum32, sum16;
  Guarded<float> scale32, scale256;

  Batch(const Matrix& m, int rows, const std::vector<float>& values);  // values[rows][inputs]
  Rows all() const {
    return {q.data(), sum32.data(), sum16.data(), scale32.data(), scale256.data(), x.data(), rows, stride};
  }
};

// One row of a batch as the list of the channels that survive; sums are theirs alone, dropped channels of x are zero.
struct Survivors {
  Guarded<int8_t> q;
  Guarded<uint16_t> index;
  Guarded<int> start, middle, sum32, sum16;
  Guarded<float> scale32, scale256, x;
  bool dense;

  Activations row() const {
    return {q.data(),     index.data(),   start.data(),    middle.data(), sum32.data(),
            sum16.data(), scale32.data(), scale256.data(), x.data(),      dense};
  }
};

// `halves`: each half of a group ends at a quad border (Q6_K needs it), otherwise only the group does.
Survivors survivors(const Batch& b, int row, const std::vector<bool>& keep, bool halves);

inline Survivors every_channel(const Batch& b, int row) {
  return survivors(b, row, std::vector<bool>(b.inputs, true), true);
}

// All panels and chunks of one row through gemv, chunks added in order; checks that nothing else is written.
std::vector<float> whole_gemv(const Kernels& k, const Matrix& m, const Activations& a);

}  // namespace midline::test
