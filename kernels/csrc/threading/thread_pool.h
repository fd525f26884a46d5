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

// Waits by spinning; yields the core once the wait is longer than it would be if all threads were running.
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
  // Runs job(0), ..., job(threads - 1), the first on the calling thread; returns when all are done. Jobs must not
  // throw.
  void run(const std::function<void(int)>& job);
  void barrier() { barrier_.wait(); }  // to be called inside a job, by every thread

 private:
  void work(int id);
  const int threads_;
  SpinBarrier barrier_;
  std::mutex jobs_;  // held for the duration of a job: callers take turns
  const std::function<void(int)>* job_ = nullptr;
  std::atomic<uint32_t> epoch_{0};
  std::atomic<int> running_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace midline
