#include "sampling/choose.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels.h"

namespace midline {
namespace {

uint64_t mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

struct Weighed {
  int token;
  float logit;
  double weight;
};

// The lowest id with the largest logit, -1 if all are NaN.
int best_of(const float* logits, int n) {
  constexpr int kRun = 1024;
  float most = -std::numeric_limits<float>::infinity();
  int run = 0;
  for (int i = 0; i < n; i += kRun) {
    const float p = kernels().peak(logits + i, std::min(kRun, n - i));
    if (p > most) most = p, run = i;
  }
  for (int i = run; i < n; i++)
    if (logits[i] == most) return i;
  return -1;
}

int best_of(const float* logits, const int* allowed, int n) {
  int best = -1;
  for (int i = 0; i < n; i++) {
    const int t = allowed[i];
    if (std::isnan(logits[t])) continue;
    if (best < 0 || logits[t] > logits[best] || (logits[t] == logits[best] && t < best)) best = t;
  }
  return best;
}

constexpr float kNegligible = 25.0f;  // tokens with less than e^-25 of the best token's weight are never drawn

}  // namespace

double uniform(uint64_t seed, uint64_t sample, uint64_t position) {
  return static_cast<double>(mix(mix(mix(seed) ^ sample) ^ position) >> 11) * 0x1.0p-53;
}

Choice choose(const float* logits, int vocab, const int* allowed, int allowed_count, float log_sum, const Sampling& s) {
  const int n = allowed ? allowed_count : vocab;
  auto token = [&](int i) { return allowed ? allowed[i] : i; };
  const int best = allowed ? best_of(logits, allowed, n) : best_of(logits, n);
  if (best < 0) throw std::invalid_argument("the logits are not numbers");
  if (!(s.temperature > 0.0f)) return {best, logits[best] - log_sum};
  const float peak = logits[best], cut = peak - kNegligible * s.temperature;
  std::vector<Weighed> kept;
  for (int i = 0; i < n; i++) {
    const float logit = logits[token(i)];
    if (logit >= cut) kept.push_back({token(i), logit, std::exp((static_cast<double>(logit) - peak) / s.temperature)});
  }
  std::sort(kept.begin(), kept.end(), [](const Weighed& a, const Weighed& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
  });
  double total = 0.0, mass = 0.0;
  for (const Weighed& w : kept) total += w.weight;
  size_t count = 0;
  while (count < kept.size() && (count == 0 || (mass < s.top_p * total && kept[count].weight >= s.min_p)))
    mass += kept[count++].weight;
  double target = uniform(s.seed, s.sample, s.position) * mass;
  for (size_t i = 0; i + 1 < count; i++) {
    target -= kept[i].weight;
    if (target < 0.0) return {kept[i].token, kept[i].logit - log_sum};
  }
  return {kept[count - 1].token, kept[count - 1].logit - log_sum};
}

}  // namespace midline
