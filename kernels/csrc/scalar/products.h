#pragma once
#include "kernels.h"

namespace midline::scalar {

void gemv(const Matrix& m, int panel, int chunk, const Activations& a, const Upcoming& next, float* out, float* blk);
void gemm(const Matrix& m, int first, int units, const Rows& a, const UpcomingUnits& next, float* c, size_t ldc,
          void* scratch);
void screen(const uint8_t* unit, const int8_t* q, const float* scale, const int* sum64, int inputs, float* y);
int dot_chains(int rounds, int64_t* multiply_adds);

}  // namespace midline::scalar
