#include "measurement/dot_rate.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "kernels.h"

namespace midline {

double dot_rate(int threads, double seconds) {
  std::atomic<int64_t> done{0};
  const auto start = std::chrono::steady_clock::now();
  auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  auto work = [&] {
    do {
      int64_t count = 0;
      kernels().dot_chains(10000, &count);
      done += count;
    } while (elapsed() < seconds);
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; i++) others.emplace_back(work);
  work();
  for (std::thread& t : others) t.join();
  return static_cast<double>(done.load()) / elapsed();
}

}  // namespace midline
