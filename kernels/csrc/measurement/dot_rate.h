// Speed of the arithmetic that products are made of.
#pragma once

namespace midline {

// 8-bit multiply-adds a second that `threads` threads do in registers for `seconds`, with the kernels of this machine.
double dot_rate(int threads, double seconds);

}  // namespace midline
