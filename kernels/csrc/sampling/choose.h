// Sampling the next token from one row of logits: greedy, or by temperature with top-p (nucleus sampling, arXiv
// 1904.09751) and min-p (arXiv 2407.01082).
#pragma once
#include <cstdint>
#include <vector>

namespace midline {

struct Choice {
  int token;
  float logprob;
};  // natural log of the unmodified distribution's probability

struct Sampling {
  float temperature;   // 0: greedy, the lowest id among equally probable tokens
  float top_p, min_p;  // off at 1 and 0
  uint64_t seed, sample, position;
};

// A uniform number in [0, 1), as a function of its three keys (a counter-based generator of SplitMix64 finalizers), so
// that a sample does not depend on how many others are drawn, or in which order.
double uniform(uint64_t seed, uint64_t sample, uint64_t position);

// The next token. allowed: ids to choose from, or null for all; log_sum: log of the sum of exponentials of all logits.
// Throws std::invalid_argument if all logits are NaN.
Choice choose(const float* logits, int vocab, const int* allowed, int allowed_count, float log_sum, const Sampling& s);

}  // namespace midline
