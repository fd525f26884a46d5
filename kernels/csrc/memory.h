// Large anonymous memory on huge pages where the system grants them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace midline {

struct Allocation { void* data; size_t bytes; };

// Zeroed; throws std::bad_alloc.
Allocation allocate_pages(size_t bytes);
void free_pages(Allocation a);
// Bytes of [data, data + bytes) that lie on huge pages now; -1 where the system does not tell.
long long huge_page_bytes(const void* data, size_t bytes);
// Reads `bytes` of anonymous memory over and over on `threads` threads for about `seconds`: bytes per second.
double read_bandwidth(int threads, double seconds);

}  // namespace midline
