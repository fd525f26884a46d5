// Even shares of work.
#pragma once

namespace midline {

struct Range {
  int begin, end;
};
// Part `part` of `parts` of n work items.
inline Range share(int n, int part, int parts) { return {n * part / parts, n * (part + 1) / parts}; }

}  // namespace midline
