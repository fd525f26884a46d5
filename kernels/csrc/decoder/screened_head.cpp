#include "decoder/screened_head.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "packing/half.h"
#include "packing/pack.h"
#include "packing/screen.h"

namespace midline {
namespace {

constexpr int kFirstCandidates = 24;
// Candidates further below the best exact logit than this many standard deviations of the screen's error are not
// computed exactly.
constexpr float kErrorMargin = 6.0f;
// The screen is used only if its last candidate is at least this many standard deviations of its error below the best
// one; otherwise a token that is no candidate might be better. SmolLM2's output matrix, which is narrow and uneven,
// often fails this test.
constexpr float kTrustMargin = 3.0f;

// The exact logit of one output, computed as kernels.h specifies.
float exact_logit(const Matrix& m, const Activations& a, int output) {
  const int unit = output / kUnit, o = output % kUnit, type = m.unit_type[unit];
  const Panel& p = m.panels[m.unit_panel[unit]];
  size_t code_offset = 0;
  for (int u = p.first_unit; u < unit; u++) code_offset += code_bytes(m.unit_type[u]);
  float acc = 0.0f;
  for (int sb = 0; sb < m.superblocks(); sb++) {
    const int channels = m.channels(sb), step = type == Q6_K ? 16 : kGroup, groups = channels / kGroup;
    const uint8_t* runs = m.superblock(p, sb) + code_offset;
    const uint8_t* s = m.scales(p, sb);
    for (int u = p.first_unit; u < unit; u++) s += scale_bytes(m.unit_type[u], channels);
    float blk = 0.0f;
    int mins = 0;
    for (int g = 0; g < channels / step; g++) {
      const int at = sb * 8 + g * step / kGroup;
      const int* sums = type == Q6_K ? a.sum16 + sb * 16 + g : a.sum32 + at;
      int sum = -zero_point(type) * *sums;
      for (int c = g * step; c < (g + 1) * step; c++)
        sum += unit_code(type, runs + static_cast<size_t>(c) * p.run_bytes, o) * a.q[sb * kSuper + c];
      const auto f = static_cast<float>(sum);
      if (type == Q6_K) blk = std::fma(static_cast<float>(static_cast<int8_t>(s[g * kUnit + o])), f, blk);
      else if (type == Q4_K)
        blk = std::fma(static_cast<float>(s[g * kUnit + o]), f, blk),
        mins += s[8 * kUnit + (g / 2 * kUnit + o) * 2 + g % 2] * *sums;
      else acc = std::fma(load_half(s + (g * kUnit + o) * 2) * a.scale32[at], f, acc);
      if (type == Q4_1)
        acc = std::fma(load_half(s + ((groups + g) * kUnit + o) * 2), a.scale32[at] * static_cast<float>(*sums), acc);
    }
    if (is_k_quant(type)) acc = std::fma(load_half(s + 16 * kUnit + 2 * o) * a.scale256[sb], blk, acc);
    if (type == Q4_K)
      acc = std::fma(0.0f - load_half(s + 18 * kUnit + 2 * o) * a.scale256[sb], static_cast<float>(mins), acc);
  }
  return acc;
}

}  // namespace

HeadScreen::HeadScreen(const Matrix& head, const uint8_t* codes, const Kernels& k, int vocab, int threads)
    : m_(head),
      codes_(codes),
      k_(k),
      vocab_(vocab),
      threads_(threads),
      unit_max_(head.units),
      exact_(kScreenCandidates) {}

bool HeadScreen::run(ThreadPool& pool, const Activations& a, const float* x, float* logits, int tid) {
  approximate(x, logits, tid);
  pool.barrier();
  if (tid == 0) choose(logits);
  pool.barrier();
  rescore(a, 0, std::min<int>(kFirstCandidates, static_cast<int>(candidates_.size())), tid);
  pool.barrier();
  if (tid == 0) narrow(logits);
  pool.barrier();
  if (!trusted_) return false;
  rescore(a, kFirstCandidates, static_cast<int>(candidates_.size()), tid);
  pool.barrier();
  if (tid == 0)
    for (size_t i = 0; i < candidates_.size(); i++) logits[candidates_[i]] = exact_[i];
  return true;
}

void HeadScreen::approximate(const float* x, float* logits, int tid) {
  const int n = m_.inputs, blocks = n / kScreenGroup;
  std::vector<int8_t> q(n);
  std::vector<float> scale(blocks);
  std::vector<int> sum32(n / 32), sum16(n / 16), sum64(blocks);
  k_.quantize(x, n, kScreenGroup, q.data(), scale.data(), sum32.data(), sum16.data());
  for (int b = 0; b < blocks; b++) sum64[b] = sum32[2 * b] + sum32[2 * b + 1];
  float y[kUnit];
  for (int u = m_.units * tid / threads_; u < m_.units * (tid + 1) / threads_; u++) {
    k_.screen(codes_ + u * screen_unit_bytes(n), q.data(), scale.data(), sum64.data(), n, y);
    const int count = std::min(kUnit, vocab_ - u * kUnit);
    std::copy_n(y, count, logits + static_cast<size_t>(u) * kUnit);
    unit_max_[u] = -std::numeric_limits<float>::infinity();  // so that NaN is never a candidate
    for (int i = 0; i < count; i++) unit_max_[u] = y[i] > unit_max_[u] ? y[i] : unit_max_[u];
  }
}

// The best kScreenCandidates by approximate logit, best first. The kScreenCandidates-th largest of the units' maxima is
// a lower bound of the last candidate's logit.
void HeadScreen::choose(const float* logits) {
  std::vector<float> order(unit_max_);
  const size_t keep = std::min<size_t>(kScreenCandidates, order.size());
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep - 1), order.end(), std::greater<>());
  const float least = order[keep - 1];
  candidates_.clear();
  for (int u = 0; u < m_.units; u++) {
    if (unit_max_[u] < least) continue;
    for (int o = u * kUnit; o < std::min(vocab_, (u + 1) * kUnit); o++)
      if (logits[o] >= least) candidates_.push_back(o);
  }
  const size_t n = std::min<size_t>(kScreenCandidates, candidates_.size());
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(n), candidates_.end(),
                    [&](int i, int j) { return logits[i] > logits[j] || (logits[i] == logits[j] && i < j); });
  candidates_.resize(n);
}

// Estimates the screen's error from the first candidates' exact logits, and drops the candidates that are too far below
// the best to be the most probable token.
void HeadScreen::narrow(const float* logits) {
  const int n = std::min<int>(kFirstCandidates, static_cast<int>(candidates_.size()));
  double mean = 0.0, square = 0.0;
  float best = exact_[0];
  for (int i = 0; i < n; i++) {
    const double error = exact_[i] - logits[candidates_[i]];
    mean += error / n, square += error * error / n, best = std::max(best, exact_[i]);
  }
  const double spread = std::sqrt(std::max(square - mean * mean, 0.0));
  trusted_ = n > 0 && logits[candidates_.back()] + std::max(mean, 0.0) + kTrustMargin * spread < best;
  const auto least = static_cast<float>(best - std::max(mean, 0.0) - kErrorMargin * spread);
  while (static_cast<int>(candidates_.size()) > n && logits[candidates_.back()] < least) candidates_.pop_back();
}

void HeadScreen::rescore(const Activations& a, int begin, int end, int tid) {
  for (int i = begin + tid; i < end; i += threads_) exact_[i] = exact_logit(m_, a, candidates_[i]);
}

}  // namespace midline
