// Bindings of the decoder step. All arguments are checked here; the native code does not check them again.
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "bindings/arrays.h"
#include "decoder/decoder.h"
#include "measurement/product_timer.h"
#include "packing/gguf_blocks.h"
#include "packing/screen.h"

using namespace nanobind::literals;

namespace midline {
namespace {

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
  PyThresholds(const DecoderConfig& c, std::vector<std::tuple<Floats, Floats, Floats, Floats>> layers)
      : arrays_(std::move(layers)) {
    require(static_cast<int>(arrays_.size()) == c.layers, "thresholds do not match the configuration");
    for (const auto& [qkv, out, gate_up, down] : arrays_)
      values_.push_back({checked(qkv, c.width), checked(out, c.heads * c.head_dim), checked(gate_up, c.width),
                         checked(down, c.hidden)});
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
    for (size_t i = 0; i < t.size(); i++)
      require(t.data()[i] >= 0 && std::isfinite(t.data()[i]), "a threshold is negative or no number");
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
  PyDecoder(const DecoderConfig& c, std::vector<PyLayer> layers, Floats output_norm, const Matrix& head,
            Bytes head_data, Bytes screen, int embedding_type, Bytes embedding)
      : layers_(std::move(layers)),
        output_norm_(output_norm),
        head_data_(head_data),
        screen_(screen),
        embedding_(embedding),
        config_(c) {
    Weights w;
    for (PyLayer& l : layers_) w.layers.push_back(native(l, c));
    require(static_cast<int>(w.layers.size()) == c.layers && c.layers > 0, "layers do not match the configuration");
    require(output_norm.size() == static_cast<size_t>(c.width), "output norm of the wrong size");
    w.output_norm = output_norm_.data();
    w.head = attached(head, head_data_, c.width, c.vocab);
    require(static_cast<int>(head.panels.size()) == head.units && head.chunk_count() == 1,
            "the output matrix must have one unit a panel and one chunk");
    require(screen_.size() == 0 || screen_.size() >= screen_unit_bytes(c.width) * head.units,
            "screen of the wrong size");
    w.screen = screen_.size() ? screen_.data() : nullptr;
    w.embedding = {embedding_type, embedding_.data(), row_bytes(embedding_type, c.width)};
    require(is_supported(embedding_type) && embedding_.size() == w.embedding.row_bytes * c.vocab,
            "embedding of the wrong size");
    decoder_ = std::make_unique<Decoder>(c, std::move(w));
  }

  // Returns false if cancelled. Rows at positions from sparse_from[segment] on are sparse.
  bool run(nb::ndarray<uint16_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> pool, const Ints& tokens,
           const std::vector<std::tuple<int, int, Ints>>& segments, const std::vector<int>& logit_rows,
           WritableFloatRows& logits, bool exact, bool float_activations, const CancelFlag* cancel,
           const PyThresholds* thresholds, const std::vector<int>& sparse_from,
           const std::optional<WritableFloatRows>& matrix_inputs) {
    Step step{tokens.data(),
              {},
              logit_rows,
              logit_rows.empty() ? Head::none
              : exact            ? Head::exact
                                 : Head::screened,
              logits.data(),
              float_activations,
              cancel ? cancel->get() : nullptr,
              thresholds ? &thresholds->of(config_) : nullptr,
              matrix_inputs ? matrix_inputs->data() : nullptr};
    require(!thresholds || sparse_from.size() == segments.size(), "a position for each segment");
    int rows = 0;
    const size_t pages = pool.size() / decoder_->page_halves();
    for (const auto& [start, count, table] : segments) {
      require(start >= 0 && count > 0 && table.size() * kPageTokens >= static_cast<size_t>(start) + count,
              "a segment's pages do not cover its rows");
      for (size_t i = 0; i < table.size(); i++)
        require(table.data()[i] >= 0 && static_cast<size_t>(table.data()[i]) < pages, "page out of range");
      step.segments.push_back({start, count, table.data(), thresholds ? sparse_from[step.segments.size()] : 0});
      rows += count;
    }
    require(rows == static_cast<int>(tokens.size()) && rows > 0 && rows <= kMaxRows,
            "1 to 512 tokens a step, as many as the segments say");
    for (size_t i = 0; i < tokens.size(); i++)
      require(tokens.data()[i] >= 0 && tokens.data()[i] < config_.vocab, "token out of range");
    for (size_t i = 0; i < logit_rows.size(); i++)
      require(logit_rows[i] >= 0 && logit_rows[i] < rows && (i == 0 || logit_rows[i] > logit_rows[i - 1]),
              "logit rows must increase and lie within the step");
    require(logits.shape(0) >= logit_rows.size() &&
                (logit_rows.empty() || logits.shape(1) == static_cast<size_t>(config_.vocab)),
            "logits of the wrong shape");
    require(!matrix_inputs || (matrix_inputs->shape(0) >= static_cast<size_t>(rows) &&
                               matrix_inputs->shape(1) == config_.layers * decoder_->inputs_per_layer()),
            "matrix_inputs of the wrong shape");
    nb::gil_scoped_release release;
    return decoder_->run(pool.data(), step);
  }
  // Seconds per pass of all layers' products, by kind; see measurement/product_timer.h.
  std::array<double, 4> time_products(const std::array<Floats, 4>& inputs, const PyThresholds* thresholds, int rounds) {
    const std::array<int, 4> sizes{config_.width, config_.heads * config_.head_dim, config_.width, config_.hidden};
    for (size_t j = 0; j < 4; j++)
      require(inputs[j].size() == static_cast<size_t>(sizes[j]), "inputs of the wrong size");
    require(rounds > 0, "at least one round");
    nb::gil_scoped_release release;
    return midline::time_products(*decoder_, {inputs[0].data(), inputs[1].data(), inputs[2].data(), inputs[3].data()},
                                  thresholds ? &thresholds->of(config_) : nullptr, rounds);
  }
  size_t page_halves() const { return decoder_->page_halves(); }
  size_t inputs_per_layer() const { return decoder_->inputs_per_layer(); }

 private:
  static Matrix attached(Matrix m, const Bytes& data, int inputs, int least_outputs) {
    require(m.inputs == inputs && m.outputs() >= least_outputs && data.size() >= m.bytes,
            "a matrix does not fit the configuration");
    m.data = data.data();
    return m;
  }
  static Layer native(const PyLayer& l, const DecoderConfig& c) {
    const int heads = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
    require(
        l.attention_norm.size() == static_cast<size_t>(c.width) && l.ffn_norm.size() == static_cast<size_t>(c.width),
        "norm of the wrong size");
    Layer n{attached(l.qkv, l.qkv_data, c.width, static_cast<int>(padded(heads) + 2 * padded(kv))),
            attached(l.out, l.out_data, heads, c.width),
            attached(l.gate_up, l.gate_up_data, c.width, static_cast<int>(2 * padded(c.hidden))),
            attached(l.down, l.down_data, c.hidden, c.width),
            l.attention_norm.data(),
            l.ffn_norm.data(),
            l.qkv_bias.size() ? l.qkv_bias.data() : nullptr};
    require(!n.qkv_bias || l.qkv_bias.size() == static_cast<size_t>(n.qkv.outputs()), "bias of the wrong size");
    return n;
  }
  std::vector<PyLayer> layers_;
  Floats output_norm_;
  Bytes head_data_, screen_, embedding_;
  DecoderConfig config_;
  std::unique_ptr<Decoder> decoder_;
};

DecoderConfig make_config(int layers, int width, int heads, int kv_heads, int head_dim, int hidden, int vocab,
                          float eps, float rope_base, bool rope_interleaved, int threads) {
  require(layers > 0 && width > 0 && width % kGroup == 0 && hidden > 0 && hidden % kGroup == 0,
          "width and hidden must be multiples of 32");
  require(heads > 0 && kv_heads > 0 && heads % kv_heads == 0 && head_dim > 0 && head_dim % 16 == 0,
          "heads must be multiples of KV heads, head_dim of 16");
  require(vocab > 0 && threads > 0 && threads <= 256 && eps >= 0 && rope_base > 1,
          "vocabulary, threads, eps or rope base out of range");
  return {layers, width, heads, kv_heads, head_dim, hidden, vocab, eps, rope_base, rope_interleaved, threads};
}

}  // namespace

void bind_decoder(nb::module_& m) {
  nb::class_<CancelFlag>(m, "CancelFlag")
      .def(nb::init<>())
      .def("set", &CancelFlag::set)
      .def("clear", &CancelFlag::clear)
      .def("is_set", &CancelFlag::is_set);
  nb::class_<DecoderConfig>(m, "DecoderConfig")
      .def(
          "__init__",
          [](DecoderConfig* self, int layers, int width, int heads, int kv_heads, int head_dim, int hidden, int vocab,
             float eps, float rope_base, bool rope_interleaved, int threads) {
            new (self) DecoderConfig(make_config(layers, width, heads, kv_heads, head_dim, hidden, vocab, eps,
                                                 rope_base, rope_interleaved, threads));
          },
          nb::kw_only(), "layers"_a, "width"_a, "heads"_a, "kv_heads"_a, "head_dim"_a, "hidden"_a, "vocab"_a, "eps"_a,
          "rope_base"_a, "rope_interleaved"_a, "threads"_a);
  nb::class_<PyThresholds>(m, "Thresholds")
      .def(nb::init<const DecoderConfig&, std::vector<std::tuple<Floats, Floats, Floats, Floats>>>(), "config"_a,
           "layers"_a);
  nb::class_<PyLayer>(m, "Layer")
      .def(nb::init<Matrix, Matrix, Matrix, Matrix, Bytes, Bytes, Bytes, Bytes, Floats, Floats, Floats>(),
           nb::kw_only(), "qkv"_a, "out"_a, "gate_up"_a, "down"_a, "qkv_data"_a, "out_data"_a, "gate_up_data"_a,
           "down_data"_a, "attention_norm"_a, "ffn_norm"_a, "qkv_bias"_a);
  nb::class_<PyDecoder>(m, "Decoder")
      .def(nb::init<const DecoderConfig&, std::vector<PyLayer>, Floats, const Matrix&, Bytes, Bytes, int, Bytes>(),
           "config"_a, "layers"_a, "output_norm"_a, "head"_a, "head_data"_a, "screen"_a, "embedding_type"_a,
           "embedding"_a)
      .def_prop_ro("page_halves", &PyDecoder::page_halves)
      .def_prop_ro("inputs_per_layer", &PyDecoder::inputs_per_layer)
      .def("run", &PyDecoder::run, "pool"_a.noconvert(), "tokens"_a, "segments"_a, "logit_rows"_a,
           "logits"_a.noconvert(), "exact"_a, "float_activations"_a = false, "cancel"_a.none() = nb::none(),
           "thresholds"_a.none() = nb::none(), "sparse_from"_a = std::vector<int>(),
           "matrix_inputs"_a.noconvert().none() = nb::none())
      .def("time_products", &PyDecoder::time_products, "inputs"_a, "thresholds"_a.none(), "rounds"_a);
}

}  // namespace midline
