// A persistent thread pool. Between jobs its workers spin for a moment before they sleep, because the next step of a
// generation follows within microseconds.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "threading/share.h"

namespace midline {

// Spins, and yields the core once the wait is longer than threads that all run would need.
class SpinBarrier {
 public:
  explicit SpinBarrier(int parties) : parties_(parties) {}
  void wait();

 private:
  const int parties_;
  std::atomic<int> waiting_{0};
  std::atomic<int> generation_{0};
};

class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  int threads() const { return threads_; }
  // Runs job(0..threads-1), the caller being number 0; returns when all are done. Jobs must not throw.
  void run(const std::function<void(int)>& job);
  void barrier() { barrier_.wait(); }  // from inside a job, by every thread

 private:
  void work(int id);
  const int threads_;
  SpinBarrier barrier_;
  std::mutex jobs_;  // one job at a time, however many callers
  const std::function<void(int)>* job_ = nullptr;
  std::atomic<uint32_t> epoch_{0};
  std::atomic<int> running_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace midline
