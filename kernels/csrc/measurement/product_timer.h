// Time of a model's GEMV products alone, dense or sparse.
#pragma once
#include <array>

#include "decoder/decoder.h"

namespace midline {

// Seconds that all layers' qkv, out, gate_up and down products take in one of `rounds` passes, quantization and
// survivor lists included. inputs: what enters each; thresholds: null for dense. The pass walks through the weights as
// a decode step does, so that nothing but the last layers can be in cache.
std::array<double, 4> time_products(Decoder& d, const std::array<const float*, 4>& inputs, const Thresholds* thresholds,
                                    int rounds);

}  // namespace midline
