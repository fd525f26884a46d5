// Large anonymous memory, on huge pages where the system grants them, which need far fewer address translations.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace midline {

struct Allocation {
  void* data;
  size_t bytes;
};

// Zeroed; throws std::bad_alloc.
Allocation allocate_pages(size_t bytes);
void free_pages(Allocation a);
// Gives the memory of [data, data + bytes), cut to whole small pages, back to the system; it reads as zero afterwards
// where the system has taken it, and is unchanged elsewhere.
void release_pages(void* data, size_t bytes);
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLongVector = kHugePage / 8;  // bytes from which a vector gets huge pages of its own

// Allocator of long vectors, on huge pages.
template <class T> struct PageAllocator {
  using value_type = T;
  PageAllocator() = default;
  template <class U> PageAllocator(const PageAllocator<U>&) {}
  T* allocate(size_t n) {
    const size_t bytes = n * sizeof(T);
    return static_cast<T*>(bytes < kLongVector ? ::operator new(bytes) : allocate_pages(bytes).data);
  }
  void deallocate(T* p, size_t n) {
    const size_t bytes = n * sizeof(T);
    if (bytes < kLongVector) ::operator delete(p);
    else free_pages({p, (bytes + kHugePage - 1) / kHugePage * kHugePage});
  }
  bool operator==(const PageAllocator&) const { return true; }
};
template <class T> using PagedVector = std::vector<T, PageAllocator<T>>;

// Bytes of [data, data + bytes) that are on huge pages now; -1 where the system does not report it.
long long huge_page_bytes(const void* data, size_t bytes);
// Bytes per second that `threads` threads read from memory, measured for about `seconds`.
double read_bandwidth(int threads, double seconds);

}  // namespace midline
