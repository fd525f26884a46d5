// Bindings of large buffers and of the measurements of this machine.
#include "bindings/arrays.h"
#include "measurement/dot_rate.h"
#include "memory/huge_pages.h"

using namespace nanobind::literals;

namespace midline {
namespace {

nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>> allocate(size_t bytes) {
  const Allocation a = allocate_pages(bytes);
  auto* held = new Allocation(a);
  nb::capsule owner(held, [](void* p) noexcept {
    free_pages(*static_cast<Allocation*>(p));
    delete static_cast<Allocation*>(p);
  });
  return nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(static_cast<uint8_t*>(a.data), {bytes}, owner);
}

}  // namespace

void bind_memory(nb::module_& m) {
  m.def("allocate", &allocate, "nbytes"_a);
  m.def(
      "release_pages",
      [](const WritableBytes& a, size_t begin, size_t end) {
        require(begin <= end && end <= a.size(), "bytes out of range");
        release_pages(a.data() + begin, end - begin);
      },
      "data"_a, "begin"_a, "end"_a,
      "Gives the memory of data[begin:end] back to the system, as far as it can; what is released reads as zero.");
  m.def("huge_page_bytes", [](const Bytes& a) { return huge_page_bytes(a.data(), a.size()); }, "data"_a);
  m.def(
      "read_bandwidth",
      [](int threads, double seconds) {
        require(threads > 0 && threads <= 256, "threads out of range");
        nb::gil_scoped_release release;
        return read_bandwidth(threads, seconds);
      },
      "threads"_a, "seconds"_a = 0.3);
  m.def(
      "dot_rate",
      [](int threads, double seconds) {
        require(threads > 0 && threads <= 256, "threads out of range");
        nb::gil_scoped_release release;
        return dot_rate(threads, seconds);
      },
      "threads"_a, "seconds"_a = 0.3);
}

}  // namespace midline
