// Which rows of a step attend together. Rows of different sequences that share their first blocks of keys (the prompt
// of many samples) meet those keys once, as one product (bifurcated attention, arXiv 2403.08845); neighbouring rows of
// one sequence meet all keys as one tile. Softmax parts are joined block by block in order, so nothing depends on the
// company.
#pragma once
#include <vector>

#include "decoder/decoder.h"

namespace midline {

struct AttentionItem {
  std::vector<int> rows;
  const int* pages;  // of any of the rows: they agree on blocks [first_block, last_block)
  int first_block, last_block;
  bool continues;  // starts from the rows' parts left by a shared item
};

struct AttentionPlan {
  std::vector<AttentionItem> shared, own;  // shared items run first
};

// positions[row], and each row's segment.
AttentionPlan plan_attention(const std::vector<Segment>& segments);

}  // namespace midline
