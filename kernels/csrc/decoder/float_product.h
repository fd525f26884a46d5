// The reference product, for debugging and for accuracy tests.
#pragma once
#include "packing/layout.h"

namespace midline {

// y[row * ldy + 0..127] = the unpacked weights of one unit times x[rows][stride], summed in float64.
void float_product(const Matrix& m, int unit, const float* x, int rows, int stride, float* y, size_t ldy);

}  // namespace midline
