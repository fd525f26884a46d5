// Choosing the next token from one row of logits.
#pragma once
#include <cstdint>
#include <vector>

namespace midline {

struct Choice {
  int token;
  float logprob;
};  // natural log of the unmodified distribution's probability

struct Sampling {
  float temperature;   // 0: the most probable token, the lowest id among equals
  float top_p, min_p;  // 1 and 0 switch them off
  uint64_t seed, sample, position;
};

// A uniform number in [0, 1) that depends on its three keys only (a counter-based generator: SplitMix64 finalizers), so
// that a sample does not depend on how many others are drawn or in which order.
double uniform(uint64_t seed, uint64_t sample, uint64_t position);

// Throws std::invalid_argument if no logit is a number.
// allowed: ids to choose from, or null for all; log_sum: log of the sum of exponentials of all logits.
Choice choose(const float* logits, int vocab, const int* allowed, int allowed_count, float log_sum, const Sampling& s);

}  // namespace midline
