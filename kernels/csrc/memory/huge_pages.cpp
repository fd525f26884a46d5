#include "memory/huge_pages.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>
#include <thread>
#include <vector>
#if defined(_WIN32)
#include <cstdlib>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace midline {
#if defined(_WIN32)
Allocation allocate_pages(size_t bytes) {
  void* p = std::calloc(1, bytes);
  if (!p) throw std::bad_alloc();
  return {p, bytes};
}
void free_pages(Allocation a) { std::free(a.data); }
void release_pages(void*, size_t) {}
#else
// Maps one huge page more than needed, then unmaps what is before the first huge-page boundary and after the last one.
Allocation allocate_pages(size_t bytes) {
  const size_t n = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* p = mmap(nullptr, n + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  const size_t lead = (kHugePage - reinterpret_cast<uintptr_t>(p) % kHugePage) % kHugePage;
  auto* start = static_cast<uint8_t*>(p) + lead;
  if (lead) munmap(p, lead);
  if (kHugePage - lead) munmap(start + n, kHugePage - lead);
#if defined(MADV_HUGEPAGE)
  madvise(start, n, MADV_HUGEPAGE);
#endif
  return {start, n};
}
void free_pages(Allocation a) { munmap(a.data, a.bytes); }
void release_pages(void* data, size_t bytes) {
#if defined(__linux__)  // elsewhere MADV_DONTNEED is advice about reading
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)), begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = (begin + page - 1) / page * page, last = (begin + bytes) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
#else
  (void)data, (void)bytes;
#endif
}
#endif

long long huge_page_bytes(const void* data, size_t bytes) {
#if defined(__linux__)
  std::FILE* f = std::fopen("/proc/self/smaps", "r");
  if (!f) return -1;
  char line[512];
  const auto begin = reinterpret_cast<uintptr_t>(data);
  bool inside = false;
  long long total = 0;
  while (std::fgets(line, sizeof line, f)) {
    unsigned long low, high;
    long long kb;
    if (std::sscanf(line, "%lx-%lx ", &low, &high) == 2) inside = low < begin + bytes && high > begin;
    else if (inside && std::sscanf(line, "AnonHugePages: %lld kB", &kb) == 1) total += kb * 1024;
  }
  std::fclose(f);
  return total;
#else
  (void)data, (void)bytes;
  return -1;
#endif
}

double read_bandwidth(int threads, double seconds) {
  const size_t share = (size_t{256} << 20) / threads / 4096 * 4096;
  const Allocation a = allocate_pages(share * threads);
  std::memset(a.data, 1, a.bytes);
  std::atomic<uint64_t> bytes{0}, sink{0};
  const auto start = std::chrono::steady_clock::now();
  auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  auto read = [&](int id) {
    const auto* p = reinterpret_cast<const uint64_t*>(static_cast<const uint8_t*>(a.data) + share * id);
    do {
      uint64_t sums[8] = {};
      for (size_t i = 0; i < share / 8; i += 64)
        for (int j = 0; j < 8; j++) {
          sums[j] += p[i + 8 * j];
          __builtin_prefetch(p + i + 8 * j + 512, 0, 2);
        }
      for (uint64_t s : sums) sink += s;
      bytes += share;
    } while (elapsed() < seconds);
  };
  std::vector<std::thread> others;
  for (int id = 1; id < threads; id++) others.emplace_back(read, id);
  read(0);
  for (std::thread& t : others) t.join();
  const double rate = static_cast<double>(bytes.load()) / elapsed();
  free_pages(a);
  return rate;
}

}  // namespace midline
