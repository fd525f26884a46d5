// Time of a model's GEMV products alone, dense or sparse.
#pragma once
#include <array>

#include "decoder/decoder.h"

namespace midline {

// Mean seconds per pass, of `rounds` passes, of all layers' qkv, out, gate_up and down products, with quantization and
// survivor lists. inputs: the input of each; thresholds: null for dense. A pass reads the weights in the order of a
// decode step, so that only the last layers can be in cache.
std::array<double, 4> time_products(Decoder& d, const std::array<const float*, 4>& inputs, const Thresholds* thresholds,
                                    int rounds);

}  // namespace midline
