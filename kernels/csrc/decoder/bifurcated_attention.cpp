#include "decoder/bifurcated_attention.h"

#include <algorithm>

namespace midline {
namespace {

constexpr int kTileRows = 32;
constexpr int kBlockPages = kBlockTokens / kPageTokens;

// Number of leading full blocks of keys for which both sequences have the same pages.
int common_blocks(const Segment& a, const Segment& b) {
  const int most = std::min(a.start, b.start) / kBlockTokens;
  int n = 0;
  while (n < most && std::equal(a.pages + n * kBlockPages, a.pages + (n + 1) * kBlockPages, b.pages + n * kBlockPages))
    n++;
  return n;
}

}  // namespace

AttentionPlan plan_attention(const std::vector<Segment>& segments) {
  AttentionPlan plan;
  int row = 0;
  for (size_t i = 0; i < segments.size();) {
    // Consecutive segments that share at least one block with the first of them form a group.
    size_t end = i + 1;
    int shared = 0;
    for (; end < segments.size(); end++) {
      const int blocks = common_blocks(segments[i], segments[end]);
      if (blocks == 0) break;
      shared = end == i + 1 ? blocks : std::min(shared, blocks);
    }
    if (end == i + 1) shared = 0;
    AttentionItem group{{}, segments[i].pages, 0, shared, false};
    for (; i < end; i++) {
      const Segment& s = segments[i];
      for (int r = 0; r < s.rows; r += kTileRows) {
        const int n = std::min(kTileRows, s.rows - r);
        AttentionItem own{{}, s.pages, shared, (s.start + r + n + kBlockTokens - 1) / kBlockTokens, shared > 0};
        for (int j = 0; j < n; j++) own.rows.push_back(row + r + j), group.rows.push_back(row + r + j);
        plan.own.push_back(std::move(own));
      }
      row += s.rows;
    }
    if (shared > 0) plan.shared.push_back(std::move(group));
  }
  // Long items first, so that the threads finish the phase at about the same time.
  std::stable_sort(plan.own.begin(), plan.own.end(), [](const AttentionItem& a, const AttentionItem& b) {
    return a.rows.size() * (a.last_block - a.first_block) > b.rows.size() * (b.last_block - b.first_block);
  });
  return plan;
}

}  // namespace midline
