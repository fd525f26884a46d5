// The seam: NumPy arrays in, arrays out. Long calls release the GIL.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

#include "arithmetic.h"
#include "choose.h"
#include "decoder.h"
#include "gguf_blocks.h"
#include "memory.h"
#include "pack.h"
#include "product_timer.h"
#include "screen.h"

namespace nb = nanobind;
using namespace nanobind::literals;
using namespace midline;

namespace {

using Bytes = nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using WritableBytes = nb::ndarray<uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Ints = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Floats = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Doubles = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using FloatRows = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using WritableFloatRows = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

void require(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

Matrix make_matrix(int inputs, const std::vector<int>& types, int run_bytes, int min_items) {
  require(inputs > 0 && inputs % kGroup == 0, "inputs must be a positive multiple of 32");
  require(!types.empty() && run_bytes > 0, "a matrix needs at least one unit");
  std::vector<uint8_t> units;
  for (int t : types) {
    require(is_supported(t), "unsupported block type");
    require(inputs % block_inputs(t) == 0, "inputs must be whole blocks of the type");
    units.push_back(static_cast<uint8_t>(t));
  }
  return plan_matrix(inputs, units, run_bytes, min_items);
}

void pack_rows(const Matrix& m, int first_unit, int unit_step, const Bytes& rows, int row_count, WritableBytes& out) {
  const int units = (row_count + kUnit - 1) / kUnit;
  require(first_unit >= 0 && unit_step > 0 && units > 0 && first_unit + (units - 1) * unit_step < m.units, "units out of range");
  for (int i = 0; i < units; i++) require(m.unit_type[first_unit + i * unit_step] == m.unit_type[first_unit], "the units are of different types");
  const size_t row = row_bytes(m.unit_type[first_unit], m.inputs);
  require(rows.size() == row * row_count, "row data of the wrong size");
  require(out.size() >= m.bytes, "output too small for the matrix");
  nb::gil_scoped_release release;
  for (int i = 0; i < units; i++)
    pack_unit(m, first_unit + i * unit_step, rows.data() + row * kUnit * i, std::min(kUnit, row_count - i * kUnit), out.data());
}

nb::ndarray<nb::numpy, float> unpack(const Matrix& m, int unit, int sb, const Bytes& data) {
  require(unit >= 0 && unit < m.units && sb >= 0 && sb < m.superblocks() && data.size() >= m.bytes, "no such unit or superblock");
  Matrix with_data = m;
  with_data.data = data.data();
  auto* w = new float[static_cast<size_t>(m.channels(sb)) * kUnit];
  nb::capsule owner(w, [](void* p) noexcept { delete[] static_cast<float*>(p); });
  unpack_weights(with_data, unit, sb, w);
  return nb::ndarray<nb::numpy, float>(w, {static_cast<size_t>(m.channels(sb)), static_cast<size_t>(kUnit)}, owner);
}

// y[rows][outputs] by the one-row kernel or the many-row kernel; single-threaded, for tests and the self-test.
void multiply(const Matrix& m, const Bytes& data, const FloatRows& x, WritableFloatRows& y, bool one_row) {
  require(data.size() >= m.bytes && x.shape(1) == static_cast<size_t>(m.inputs), "shapes do not match the matrix");
  require(y.shape(0) == x.shape(0) && y.shape(1) == static_cast<size_t>(m.outputs()) && x.shape(0) <= kGemmRows, "output of the wrong shape");
  Matrix with_data = m;
  with_data.data = data.data();
  const int rows = static_cast<int>(x.shape(0));
  const Kernels& k = kernels();
  RowBuffer in;
  in.reserve(rows, m.inputs, true);
  for (int r = 0; r < rows; r++) in.quantize(k, m, x.data() + static_cast<size_t>(r) * m.inputs, 0, m.inputs, r);
  if (!one_row) {
    std::vector<uint8_t> scratch(gemm_scratch_bytes() + 64);
    void* aligned = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64;
    const int most = gemm_units(rows);
    for (int u = 0; u < m.units; u += most)
      k.gemm(with_data, u, std::min(most, m.units - u), in.view(rows), {}, y.data() + u * kUnit, m.outputs(), aligned);
    return;
  }
  const DensePattern dense(in.stride);
  std::vector<float> out(m.outputs()), blk(m.outputs());
  for (int r = 0; r < rows; r++)
    for (int i = 0; i < m.items(); i++) {
      const Panel& p = m.panels[i / m.chunk_count()];
      float* row = y.data() + static_cast<size_t>(r) * m.outputs() + p.first_unit * kUnit;
      k.gemv(with_data, i / m.chunk_count(), i % m.chunk_count(), in.row(r, dense), {}, out.data(), blk.data());
      for (int o = 0; o < p.units * kUnit; o++) row[o] = i % m.chunk_count() ? row[o] + out[o] : out[o];
    }
}

void pack_screen_rows(int type, int inputs, const Bytes& rows, int first_row, int row_count, WritableBytes& out) {
  require(is_supported(type) && inputs > 0 && inputs % kScreenGroup == 0 && inputs % block_inputs(type) == 0, "the screen needs whole groups of 64 inputs and whole blocks");
  require(first_row >= 0 && row_count > 0, "no such rows");
  const size_t row = row_bytes(type, inputs), unit = screen_unit_bytes(inputs);
  require(first_row % kUnit == 0 && rows.size() >= row * (first_row + row_count), "row data of the wrong size");
  require(out.size() >= unit * ((first_row + row_count + kUnit - 1) / kUnit), "output too small for the screen");
  nb::gil_scoped_release release;
  std::vector<float> w(static_cast<size_t>(kUnit) * inputs);
  for (int r = first_row; r < first_row + row_count; r += kUnit) {
    const int n = std::min(kUnit, first_row + row_count - r);
    for (int i = 0; i < n; i++) row_weights(type, rows.data() + row * (r + i), inputs, w.data() + static_cast<size_t>(i) * inputs);
    pack_screen(w.data(), n, inputs, out.data() + unit * (r / kUnit));
  }
}

// Adds the squares of `row_count` GGUF rows' weights to sums[inputs].
void add_column_squares(int type, int inputs, const Bytes& rows, int row_count, Doubles& sums) {
  require(is_supported(type) && inputs > 0 && inputs % block_inputs(type) == 0, "inputs must be whole blocks of the type");
  const size_t row = row_bytes(type, inputs);
  require(row_count > 0 && rows.size() == row * row_count && sums.size() == static_cast<size_t>(inputs), "rows or sums of the wrong size");
  nb::gil_scoped_release release;
  std::vector<float> w(inputs);
  for (int r = 0; r < row_count; r++) {
    row_weights(type, rows.data() + row * r, inputs, w.data());
    for (int c = 0; c < inputs; c++) sums.data()[c] += static_cast<double>(w[c]) * w[c];
  }
}

// drop_small, and the channels that survive it with a code that is not zero, for tests: (y, index of each 32 channels' list).
std::pair<std::vector<float>, std::vector<std::vector<int>>> sparsify(const Floats& x, const Floats& threshold, int block, bool halves) {
  const int n = static_cast<int>(x.size());
  require(n > 0 && n % kGroup == 0 && threshold.size() == x.size() && (block == kGroup || block == kSuper), "x and threshold of one size, a multiple of 32, in blocks of 32 or 256");
  Matrix shape;
  shape.inputs = n, shape.needs_q256 = block == kSuper, shape.needs_q32 = !shape.needs_q256, shape.has_halves = halves;
  RowBuffer row;
  row.reserve(1, n, false);
  row.sparsify(kernels(), shape, threshold.data(), x.data(), 0, n);
  const Activations a = row.survivors();
  std::vector<std::vector<int>> lists;
  for (int g = 0; g < n / kGroup; g++) lists.emplace_back(a.index + a.start[g], a.index + a.start[g + 1]);
  return {std::vector<float>(a.x, a.x + n), lists};
}

nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>> allocate(size_t bytes) {
  const Allocation a = allocate_pages(bytes);
  auto* held = new Allocation(a);
  nb::capsule owner(held, [](void* p) noexcept {
    free_pages(*static_cast<Allocation*>(p));
    delete static_cast<Allocation*>(p);
  });
  return nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(static_cast<uint8_t*>(a.data), {bytes}, owner);
}

class CancelFlag {
 public:
  void set() { flag_.store(true); }
  void clear() { flag_.store(false); }
  bool is_set() const { return flag_.load(); }
  const std::atomic<bool>* get() const { return &flag_; }

 private:
  std::atomic<bool> flag_{false};
};

// Thresholds of every layer's qkv, out, gate_up and down inputs; an empty array leaves that matrix dense.
class PyThresholds {
 public:
  PyThresholds(const DecoderConfig& c, std::vector<std::tuple<Floats, Floats, Floats, Floats>> layers) : arrays_(std::move(layers)) {
    require(static_cast<int>(arrays_.size()) == c.layers, "thresholds do not match the configuration");
    for (const auto& [qkv, out, gate_up, down] : arrays_)
      values_.push_back({checked(qkv, c.width), checked(out, c.heads * c.head_dim), checked(gate_up, c.width), checked(down, c.hidden)});
    sizes_ = {c.layers, c.width, c.heads * c.head_dim, c.hidden};
  }
  const Thresholds& of(const DecoderConfig& c) const {
    require(sizes_ == std::array{c.layers, c.width, c.heads * c.head_dim, c.hidden}, "thresholds of another model");
    return values_;
  }

 private:
  static const float* checked(const Floats& t, int inputs) {
    if (t.size() == 0) return nullptr;
    require(t.size() == static_cast<size_t>(inputs), "thresholds of the wrong number of channels");
    for (size_t i = 0; i < t.size(); i++) require(t.data()[i] >= 0 && std::isfinite(t.data()[i]), "a threshold is negative or no number");
    return t.data();
  }
  std::vector<std::tuple<Floats, Floats, Floats, Floats>> arrays_;
  Thresholds values_;
  std::array<int, 4> sizes_{};
};

struct PyLayer {  // holds the arrays that a native layer points into
  Matrix qkv, out, gate_up, down;
  Bytes qkv_data, out_data, gate_up_data, down_data;
  Floats attention_norm, ffn_norm;
  Floats qkv_bias;
};

class PyDecoder {
 public:
  PyDecoder(const DecoderConfig& c, std::vector<PyLayer> layers, Floats output_norm, const Matrix& head, Bytes head_data, Bytes screen,
            int embedding_type, Bytes embedding)
      : layers_(std::move(layers)), output_norm_(output_norm), head_data_(head_data), screen_(screen), embedding_(embedding), config_(c) {
    Weights w;
    for (PyLayer& l : layers_) w.layers.push_back(native(l, c));
    require(static_cast<int>(w.layers.size()) == c.layers && c.layers > 0, "layers do not match the configuration");
    require(output_norm.size() == static_cast<size_t>(c.width), "output norm of the wrong size");
    w.output_norm = output_norm_.data();
    w.head = attached(head, head_data_, c.width, c.vocab);
    require(static_cast<int>(head.panels.size()) == head.units && head.chunk_count() == 1, "the output matrix must have one unit a panel and one chunk");
    require(screen_.size() == 0 || screen_.size() >= screen_unit_bytes(c.width) * head.units, "screen of the wrong size");
    w.screen = screen_.size() ? screen_.data() : nullptr;
    w.embedding = {embedding_type, embedding_.data(), row_bytes(embedding_type, c.width)};
    require(is_supported(embedding_type) && embedding_.size() == w.embedding.row_bytes * c.vocab, "embedding of the wrong size");
    decoder_ = std::make_unique<Decoder>(c, std::move(w));
  }

  // False when cancelled. Rows at positions from sparse_from[segment] on skip what lies under the thresholds.
  bool run(nb::ndarray<uint16_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> pool, const Ints& tokens,
           const std::vector<std::tuple<int, int, Ints>>& segments, const std::vector<int>& logit_rows, WritableFloatRows& logits, bool exact,
           bool float_activations, const CancelFlag* cancel, const PyThresholds* thresholds, const std::vector<int>& sparse_from, const std::optional<WritableFloatRows>& tap) {
    Step step{tokens.data(), {}, logit_rows, logit_rows.empty() ? Head::none : exact ? Head::exact : Head::screened, logits.data(), float_activations,
              cancel ? cancel->get() : nullptr, thresholds ? &thresholds->of(config_) : nullptr, tap ? tap->data() : nullptr};
    require(!thresholds || sparse_from.size() == segments.size(), "a position for each segment");
    int rows = 0;
    const size_t pages = pool.size() / decoder_->page_halves();
    for (const auto& [start, count, table] : segments) {
      require(start >= 0 && count > 0 && table.size() * kPageTokens >= static_cast<size_t>(start) + count, "a segment's pages do not cover its rows");
      for (size_t i = 0; i < table.size(); i++) require(table.data()[i] >= 0 && static_cast<size_t>(table.data()[i]) < pages, "page out of range");
      step.segments.push_back({start, count, table.data(), thresholds ? sparse_from[step.segments.size()] : 0});
      rows += count;
    }
    require(rows == static_cast<int>(tokens.size()) && rows > 0 && rows <= kMaxRows, "1 to 512 tokens a step, as many as the segments say");
    for (size_t i = 0; i < tokens.size(); i++) require(tokens.data()[i] >= 0 && tokens.data()[i] < config_.vocab, "token out of range");
    for (size_t i = 0; i < logit_rows.size(); i++)
      require(logit_rows[i] >= 0 && logit_rows[i] < rows && (i == 0 || logit_rows[i] > logit_rows[i - 1]), "logit rows must increase and lie within the step");
    require(logits.shape(0) >= logit_rows.size() && (logit_rows.empty() || logits.shape(1) == static_cast<size_t>(config_.vocab)), "logits of the wrong shape");
    require(!tap || (tap->shape(0) >= static_cast<size_t>(rows) && tap->shape(1) == config_.layers * decoder_->tap_width()), "tap of the wrong shape");
    nb::gil_scoped_release release;
    return decoder_->run(pool.data(), step);
  }
  // Seconds a pass that the products of all layers take, by kind: see product_timer.h.
  std::array<double, 4> time_products(const std::array<Floats, 4>& inputs, const PyThresholds* thresholds, int rounds) {
    const std::array<int, 4> sizes{config_.width, config_.heads * config_.head_dim, config_.width, config_.hidden};
    for (size_t j = 0; j < 4; j++) require(inputs[j].size() == static_cast<size_t>(sizes[j]), "inputs of the wrong size");
    require(rounds > 0, "at least one round");
    nb::gil_scoped_release release;
    return midline::time_products(*decoder_, {inputs[0].data(), inputs[1].data(), inputs[2].data(), inputs[3].data()}, thresholds ? &thresholds->of(config_) : nullptr, rounds);
  }
  size_t page_halves() const { return decoder_->page_halves(); }
  size_t tap_width() const { return decoder_->tap_width(); }

 private:
  static Matrix attached(Matrix m, const Bytes& data, int inputs, int least_outputs) {
    require(m.inputs == inputs && m.outputs() >= least_outputs && data.size() >= m.bytes, "a matrix does not fit the configuration");
    m.data = data.data();
    return m;
  }
  static Layer native(const PyLayer& l, const DecoderConfig& c) {
    const int heads = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
    require(l.attention_norm.size() == static_cast<size_t>(c.width) && l.ffn_norm.size() == static_cast<size_t>(c.width), "norm of the wrong size");
    Layer n{attached(l.qkv, l.qkv_data, c.width, static_cast<int>(padded(heads) + 2 * padded(kv))), attached(l.out, l.out_data, heads, c.width), attached(l.gate_up, l.gate_up_data, c.width, static_cast<int>(2 * padded(c.hidden))),
            attached(l.down, l.down_data, c.hidden, c.width), l.attention_norm.data(), l.ffn_norm.data(), l.qkv_bias.size() ? l.qkv_bias.data() : nullptr};
    require(!n.qkv_bias || l.qkv_bias.size() == static_cast<size_t>(n.qkv.outputs()), "bias of the wrong size");
    return n;
  }
  std::vector<PyLayer> layers_;
  Floats output_norm_;
  Bytes head_data_, screen_, embedding_;
  DecoderConfig config_;
  std::unique_ptr<Decoder> decoder_;
};

DecoderConfig make_config(int layers, int width, int heads, int kv_heads, int head_dim, int hidden, int vocab, float eps, float rope_base,
                          bool rope_interleaved, int threads) {
  require(layers > 0 && width > 0 && width % kGroup == 0 && hidden > 0 && hidden % kGroup == 0, "width and hidden must be multiples of 32");
  require(heads > 0 && kv_heads > 0 && heads % kv_heads == 0 && head_dim > 0 && head_dim % 16 == 0, "heads must be multiples of KV heads, head_dim of 16");
  require(vocab > 0 && threads > 0 && threads <= 256 && eps >= 0 && rope_base > 1, "vocabulary, threads, eps or rope base out of range");
  return {layers, width, heads, kv_heads, head_dim, hidden, vocab, eps, rope_base, rope_interleaved, threads};
}

float log_sum_exp(const Floats& x) {
  require(x.size() > 0, "no logits");
  const float peak = kernels().peak(x.data(), static_cast<int>(x.size()));
  return peak + static_cast<float>(std::log(kernels().sum_exp(x.data(), static_cast<int>(x.size()), peak)));
}

std::pair<int, float> choose_token(const Floats& logits, float log_sum, float temperature, float top_p, float min_p, uint64_t seed, uint64_t sample,
                                   uint64_t position, const std::optional<Ints>& allowed) {
  require(logits.size() > 0, "no logits");
  require(!allowed || allowed->size() > 0, "no token is allowed");
  if (allowed)
    for (size_t i = 0; i < allowed->size(); i++) require(allowed->data()[i] >= 0 && static_cast<size_t>(allowed->data()[i]) < logits.size(), "allowed token out of range");
  const Choice c = choose(logits.data(), static_cast<int>(logits.size()), allowed ? allowed->data() : nullptr, allowed ? static_cast<int>(allowed->size()) : 0, log_sum,
                          {temperature, top_p, min_p, seed, sample, position});
  return {c.token, c.logprob};
}

}  // namespace

NB_MODULE(_native, m) {
  nb::set_leak_warnings(false);  // objects alive at exit are no news to a user
  m.doc() = "CPU kernels of Midline: packed products, attention, and the decoder step.";
  m.attr("LAYOUT_VERSION") = kLayoutVersion;
  m.attr("PAGE_TOKENS") = kPageTokens;
  m.attr("MAX_ROWS") = kMaxRows;
  m.attr("UNIT") = kUnit;
  m.def("kernel_name", [] { return std::string(kernels().name); }, "Name of the kernels chosen for this CPU.");
  m.def("allocate", &allocate, "nbytes"_a);
  m.def("huge_page_bytes", [](const Bytes& a) { return huge_page_bytes(a.data(), a.size()); }, "data"_a);
  m.def("read_bandwidth", [](int threads, double seconds) {
    require(threads > 0 && threads <= 256, "threads out of range");
    nb::gil_scoped_release release;
    return read_bandwidth(threads, seconds);
  }, "threads"_a, "seconds"_a = 0.3);
  m.def("dot_rate", [](int threads, double seconds) {
    require(threads > 0 && threads <= 256, "threads out of range");
    nb::gil_scoped_release release;
    return dot_rate(threads, seconds);
  }, "threads"_a, "seconds"_a = 0.3);
  nb::class_<Matrix>(m, "Matrix")
      .def("__init__", [](Matrix* self, int inputs, const std::vector<int>& types, int run_bytes, int min_items) { new (self) Matrix(make_matrix(inputs, types, run_bytes, min_items)); },
           "inputs"_a, "unit_types"_a, "run_bytes"_a = 2304, "min_items"_a = 8)
      .def_ro("inputs", &Matrix::inputs).def_ro("units", &Matrix::units).def_ro("nbytes", &Matrix::bytes)
      .def_prop_ro("run_bytes", [](const Matrix& m) { return m.panels[0].run_bytes; })
      .def_prop_ro("outputs", &Matrix::outputs).def_prop_ro("superblocks", &Matrix::superblocks)
      .def("pack", &pack_rows, "first_unit"_a, "unit_step"_a, "rows"_a, "row_count"_a, "out"_a.noconvert())
      .def("unpack", &unpack, "unit"_a, "superblock"_a, "data"_a)
      .def("multiply", &multiply, "data"_a, "x"_a, "y"_a.noconvert(), "one_row"_a = false);
  m.def("screen_bytes", [](int inputs, int outputs) { return screen_unit_bytes(inputs) * ((outputs + kUnit - 1) / kUnit); }, "inputs"_a, "outputs"_a);
  m.def("pack_screen", &pack_screen_rows, "type"_a, "inputs"_a, "rows"_a, "first_row"_a, "row_count"_a, "out"_a.noconvert());
  m.def("add_column_squares", &add_column_squares, "type"_a, "inputs"_a, "rows"_a, "row_count"_a, "sums"_a.noconvert());
  m.def("sparsify", &sparsify, "x"_a, "threshold"_a, "block"_a, "halves"_a = false);
  nb::class_<CancelFlag>(m, "CancelFlag").def(nb::init<>()).def("set", &CancelFlag::set).def("clear", &CancelFlag::clear).def("is_set", &CancelFlag::is_set);
  nb::class_<DecoderConfig>(m, "DecoderConfig")
      .def("__init__", [](DecoderConfig* self, int layers, int width, int heads, int kv_heads, int head_dim, int hidden, int vocab, float eps, float rope_base, bool rope_interleaved, int threads) {
             new (self) DecoderConfig(make_config(layers, width, heads, kv_heads, head_dim, hidden, vocab, eps, rope_base, rope_interleaved, threads));
           }, nb::kw_only(), "layers"_a, "width"_a, "heads"_a, "kv_heads"_a, "head_dim"_a, "hidden"_a, "vocab"_a, "eps"_a, "rope_base"_a, "rope_interleaved"_a, "threads"_a);
  nb::class_<PyThresholds>(m, "Thresholds").def(nb::init<const DecoderConfig&, std::vector<std::tuple<Floats, Floats, Floats, Floats>>>(), "config"_a, "layers"_a);
  nb::class_<PyLayer>(m, "Layer").def(nb::init<Matrix, Matrix, Matrix, Matrix, Bytes, Bytes, Bytes, Bytes, Floats, Floats, Floats>(), nb::kw_only(), "qkv"_a, "out"_a,
                                      "gate_up"_a, "down"_a, "qkv_data"_a, "out_data"_a, "gate_up_data"_a, "down_data"_a, "attention_norm"_a, "ffn_norm"_a, "qkv_bias"_a);
  nb::class_<PyDecoder>(m, "Decoder")
      .def(nb::init<const DecoderConfig&, std::vector<PyLayer>, Floats, const Matrix&, Bytes, Bytes, int, Bytes>(), "config"_a, "layers"_a, "output_norm"_a, "head"_a, "head_data"_a,
           "screen"_a, "embedding_type"_a, "embedding"_a)
      .def_prop_ro("page_halves", &PyDecoder::page_halves).def_prop_ro("tap_width", &PyDecoder::tap_width)
      .def("run", &PyDecoder::run, "pool"_a.noconvert(), "tokens"_a, "segments"_a, "logit_rows"_a, "logits"_a.noconvert(), "exact"_a, "float_activations"_a = false, "cancel"_a.none() = nb::none(),
           "thresholds"_a.none() = nb::none(), "sparse_from"_a = std::vector<int>(), "tap"_a.noconvert().none() = nb::none())
      .def("time_products", &PyDecoder::time_products, "inputs"_a, "thresholds"_a.none(), "rounds"_a);
  m.def("log_sum_exp", &log_sum_exp, "logits"_a);
  m.def("uniform", &uniform, "seed"_a, "sample"_a, "position"_a);
  m.def("choose", &choose_token, "logits"_a, "log_sum"_a, nb::kw_only(), "temperature"_a = 0.0f, "top_p"_a = 1.0f, "min_p"_a = 0.0f, "seed"_a = 0, "sample"_a = 0, "position"_a = 0,
        "allowed"_a.none() = nb::none());
}
