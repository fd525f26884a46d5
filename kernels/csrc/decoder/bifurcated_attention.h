// Bifurcated attention (arXiv 2403.08845): several sequences that begin with the same pages of the KV cache, such as
// the samples of one prompt, read the keys and values of those pages once for all of them. What follows is read for
// each sequence alone, its rows in tiles. The online softmax joins blocks of keys in their order, so a row's result
// does not depend on which other rows are in the step.
#pragma once
#include <vector>

#include "decoder/decoder.h"

namespace midline {

struct AttentionItem {
  std::vector<int> rows;
  const int* pages;  // page table of any of the rows; all agree on blocks [first_block, last_block)
  int first_block, last_block;
  bool continues;  // whether it starts from the row's softmax state after the shared items
};

struct AttentionPlan {
  std::vector<AttentionItem> shared, own;  // shared items run first
};

// Rows are numbered in the order of the segments.
AttentionPlan plan_attention(const std::vector<Segment>& segments);

}  // namespace midline
