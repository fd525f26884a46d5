// A persistent pool: workers spin between jobs for a moment, then sleep. One job at a time.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "threading/share.h"

namespace midline {

// Spins, and gives the core away once the wait is longer than any healthy phase.
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
  std::mutex jobs_;  // one job at a time, whatever number of callers
  const std::function<void(int)>* job_ = nullptr;
  std::atomic<uint32_t> epoch_{0};
  std::atomic<int> running_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace midline
