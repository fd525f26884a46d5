// The Python module `midline.kernels._native`: NumPy arrays in, arrays out. Long calls release the GIL.
#include "bindings/arrays.h"

#include <nanobind/stl/string.h>

#include <string>

#include "decoder/decoder.h"

NB_MODULE(_native, m) {
  using namespace midline;
  nb::set_leak_warnings(false);  // objects that are alive at exit are no error
  m.doc() = "CPU kernels of Midline: packed products, attention, and the decoder step.";
  m.attr("LAYOUT_VERSION") = kLayoutVersion;
  m.attr("PAGE_TOKENS") = kPageTokens;
  m.attr("MAX_ROWS") = kMaxRows;
  m.attr("UNIT") = kUnit;
  m.def("kernel_name", [] { return std::string(kernels().name); }, "Name of the kernels chosen for this CPU.");
  bind_memory(m);
  bind_matrix(m);
  bind_decoder(m);
  bind_sampling(m);
}
