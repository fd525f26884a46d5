#include "threading/thread_pool.h"

#include <chrono>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace midline {
namespace {

inline void pause_cpu() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr int kSpinsBeforeYield = 4000;  // about 100 microseconds
constexpr auto kSpinBeforeSleep = std::chrono::microseconds(2000);

}  // namespace

void SpinBarrier::wait() {
  if (parties_ == 1) return;
  const int generation = generation_.load(std::memory_order_acquire);
  if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == parties_) {
    waiting_.store(0, std::memory_order_relaxed);
    generation_.store(generation + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; generation_.load(std::memory_order_acquire) == generation;) {
    if (++spins < kSpinsBeforeYield) pause_cpu();
    else std::this_thread::yield();
  }
}

ThreadPool::ThreadPool(int threads) : threads_(threads), barrier_(threads) {
  for (int id = 1; id < threads; id++) workers_.emplace_back([this, id] { work(id); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& w : workers_) w.join();
}

void ThreadPool::run(const std::function<void(int)>& job) {
  std::lock_guard<std::mutex> lock(jobs_);
  job_ = &job;
  running_.store(threads_ - 1, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  job(0);
  for (int spins = 0; running_.load(std::memory_order_acquire) > 0;) {
    if (++spins < kSpinsBeforeYield) pause_cpu();
    else std::this_thread::yield();
  }
}

void ThreadPool::work(int id) {
  uint32_t seen = 0;
  while (true) {
    const auto start = std::chrono::steady_clock::now();
    for (int spins = 0; epoch_.load(std::memory_order_acquire) == seen;) {
      pause_cpu();
      if (++spins % 256 == 0 && std::chrono::steady_clock::now() - start > kSpinBeforeSleep)
        epoch_.wait(seen, std::memory_order_acquire);
    }
    seen = epoch_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    (*job_)(id);
    running_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace midline
