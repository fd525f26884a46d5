// What the parts of the kernel test share: expectations, random numbers, and buffers that end where memory ends.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels.h"

namespace midline::test {

extern int failures;
extern std::mt19937 rng;

// Counts a failure, and prints the first few of them.
void expect(bool ok, const std::string& what);

float normal();
std::vector<float> normals(size_t n);  // about one in a hundred is an outlier

// Memory whose last byte is followed by a page that may not be read, filled with 0xff: NaN to floats and halves. A
// kernel that reads past the end dies here, one that reads what nobody wrote computes NaN.
template <class T> class Guarded {
 public:
  explicit Guarded(size_t n) : size_(n) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), bytes = (n * sizeof(T) + page - 1) / page * page;
    mapped_ = bytes + page;
    base_ = static_cast<uint8_t*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || mprotect(base_ + bytes, page, PROT_NONE) != 0)
      std::perror("kernel_test: no memory"), std::exit(3);
    data_ = reinterpret_cast<T*>(base_ + bytes - n * sizeof(T));
    poison();
  }
  explicit Guarded(const std::vector<T>& v) : Guarded(v.size()) {
    if (size_) std::memcpy(data_, v.data(), size_ * sizeof(T));
  }
  ~Guarded() { munmap(base_, mapped_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  void poison() {
    std::memset(static_cast<void*>(base_), 0xff,
                static_cast<size_t>(reinterpret_cast<uint8_t*>(data_ + size_) - base_));
  }
  bool poisoned(size_t from, size_t to) const {  // nobody wrote to [from, to)
    for (const uint8_t *p = bytes(from), *end = bytes(to); p < end; p++)
      if (*p != 0xff) return false;
    return true;
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return size_; }

 private:
  const uint8_t* bytes(size_t i) const { return reinterpret_cast<const uint8_t*>(data_ + i); }
  size_t size_, mapped_ = 0;
  uint8_t* base_ = nullptr;
  T* data_ = nullptr;
};

inline bool same_bits(const float* a, const float* b, size_t n) { return std::memcmp(a, b, n * sizeof(float)) == 0; }

// The parts, each against the scalar twin and against float64.
void test_products(const Kernels& k);
void test_survivors(const Kernels& k);
void test_threshold(const Kernels& k);
void test_attention(const Kernels& k);
void test_elementwise(const Kernels& k);
void test_screen(const Kernels& k);
void test_dots(const Kernels& k);
void test_dispatch();  // of no kernels in particular

}  // namespace midline::test
