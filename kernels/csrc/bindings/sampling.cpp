// Bindings of sampling.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include <cmath>
#include <optional>

#include "bindings/arrays.h"
#include "kernels.h"
#include "sampling/choose.h"

using namespace nanobind::literals;

namespace midline {
namespace {

float log_sum_exp(const Floats& x) {
  require(x.size() > 0, "no logits");
  const float peak = kernels().peak(x.data(), static_cast<int>(x.size()));
  return peak + static_cast<float>(std::log(kernels().sum_exp(x.data(), static_cast<int>(x.size()), peak)));
}

std::pair<int, float> choose_token(const Floats& logits, float log_sum, float temperature, float top_p, float min_p,
                                   uint64_t seed, uint64_t sample, uint64_t position,
                                   const std::optional<Ints>& allowed) {
  require(logits.size() > 0, "no logits");
  require(!allowed || allowed->size() > 0, "no token is allowed");
  if (allowed)
    for (size_t i = 0; i < allowed->size(); i++)
      require(allowed->data()[i] >= 0 && static_cast<size_t>(allowed->data()[i]) < logits.size(),
              "allowed token out of range");
  const Choice c = choose(logits.data(), static_cast<int>(logits.size()), allowed ? allowed->data() : nullptr,
                          allowed ? static_cast<int>(allowed->size()) : 0, log_sum,
                          {temperature, top_p, min_p, seed, sample, position});
  return {c.token, c.logprob};
}

}  // namespace

void bind_sampling(nb::module_& m) {
  m.def("log_sum_exp", &log_sum_exp, "logits"_a);
  m.def("uniform", &uniform, "seed"_a, "sample"_a, "position"_a);
  m.def("choose", &choose_token, "logits"_a, "log_sum"_a, nb::kw_only(), "temperature"_a = 0.0f, "top_p"_a = 1.0f,
        "min_p"_a = 0.0f, "seed"_a = 0, "sample"_a = 0, "position"_a = 0, "allowed"_a.none() = nb::none());
}

}  // namespace midline
