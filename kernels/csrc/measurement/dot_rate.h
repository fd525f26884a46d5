// Peak throughput of the inner loops of matrix products.
#pragma once

namespace midline {

// 8-bit multiply-adds per second of `threads` threads computing in registers, measured for about `seconds`.
double dot_rate(int threads, double seconds);

}  // namespace midline
