// Bindings of packed matrices: layout, packing, products, and TEAL's survivor lists.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "bindings/arrays.h"
#include "decoder/row_buffer.h"
#include "packing/gguf_blocks.h"
#include "packing/pack.h"
#include "packing/screen.h"

using namespace nanobind::literals;

namespace midline {
namespace {

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
  require(first_unit >= 0 && unit_step > 0 && units > 0 && first_unit + (units - 1) * unit_step < m.units,
          "units out of range");
  for (int i = 0; i < units; i++)
    require(m.unit_type[first_unit + i * unit_step] == m.unit_type[first_unit], "the units are of different types");
  const size_t row = row_bytes(m.unit_type[first_unit], m.inputs);
  require(rows.size() == row * row_count, "row data of the wrong size");
  require(out.size() >= m.bytes, "output too small for the matrix");
  nb::gil_scoped_release release;
  for (int i = 0; i < units; i++)
    pack_unit(m, first_unit + i * unit_step, rows.data() + row * kUnit * i, std::min(kUnit, row_count - i * kUnit),
              out.data());
}

nb::ndarray<nb::numpy, float> unpack(const Matrix& m, int unit, int sb, const Bytes& data) {
  require(unit >= 0 && unit < m.units && sb >= 0 && sb < m.superblocks() && data.size() >= m.bytes,
          "no such unit or superblock");
  Matrix with_data = m;
  with_data.data = data.data();
  auto* w = new float[static_cast<size_t>(m.channels(sb)) * kUnit];
  nb::capsule owner(w, [](void* p) noexcept { delete[] static_cast<float*>(p); });
  unpack_weights(with_data, unit, sb, w);
  return nb::ndarray<nb::numpy, float>(w, {static_cast<size_t>(m.channels(sb)), static_cast<size_t>(kUnit)}, owner);
}

// y[rows][outputs], computed by the GEMV or the GEMM kernel on one thread; for tests and the self-test.
void multiply(const Matrix& m, const Bytes& data, const FloatRows& x, WritableFloatRows& y, bool one_row) {
  require(data.size() >= m.bytes && x.shape(1) == static_cast<size_t>(m.inputs), "shapes do not match the matrix");
  require(y.shape(0) == x.shape(0) && y.shape(1) == static_cast<size_t>(m.outputs()) && x.shape(0) <= kGemmRows,
          "output of the wrong shape");
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
  require(is_supported(type) && inputs > 0 && inputs % kScreenGroup == 0 && inputs % block_inputs(type) == 0,
          "the screen needs whole groups of 64 inputs and whole blocks");
  require(first_row >= 0 && row_count > 0, "no such rows");
  const size_t row = row_bytes(type, inputs), unit = screen_unit_bytes(inputs);
  require(first_row % kUnit == 0 && rows.size() >= row * (first_row + row_count), "row data of the wrong size");
  require(out.size() >= unit * ((first_row + row_count + kUnit - 1) / kUnit), "output too small for the screen");
  nb::gil_scoped_release release;
  std::vector<float> w(static_cast<size_t>(kUnit) * inputs);
  for (int r = first_row; r < first_row + row_count; r += kUnit) {
    const int n = std::min(kUnit, first_row + row_count - r);
    for (int i = 0; i < n; i++)
      row_weights(type, rows.data() + row * (r + i), inputs, w.data() + static_cast<size_t>(i) * inputs);
    pack_screen(w.data(), n, inputs, out.data() + unit * (r / kUnit));
  }
}

// Adds the squares of `row_count` GGUF rows' weights to sums[inputs].
void add_column_squares(int type, int inputs, const Bytes& rows, int row_count, Doubles& sums) {
  require(is_supported(type) && inputs > 0 && inputs % block_inputs(type) == 0,
          "inputs must be whole blocks of the type");
  const size_t row = row_bytes(type, inputs);
  require(row_count > 0 && rows.size() == row * row_count && sums.size() == static_cast<size_t>(inputs),
          "rows or sums of the wrong size");
  nb::gil_scoped_release release;
  std::vector<float> w(inputs);
  for (int r = 0; r < row_count; r++) {
    row_weights(type, rows.data() + row * r, inputs, w.data());
    for (int c = 0; c < inputs; c++) sums.data()[c] += static_cast<double>(w[c]) * w[c];
  }
}

// x with its dropped channels zero, and the survivor list of each group of 32 channels; for tests.
std::pair<std::vector<float>, std::vector<std::vector<int>>> sparsify(const Floats& x, const Floats& threshold,
                                                                      int block, bool halves) {
  const int n = static_cast<int>(x.size());
  require(n > 0 && n % kGroup == 0 && threshold.size() == x.size() && (block == kGroup || block == kSuper),
          "x and threshold of one size, a multiple of 32, in blocks of 32 or 256");
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

}  // namespace

void bind_matrix(nb::module_& m) {
  nb::class_<Matrix>(m, "Matrix")
      .def(
          "__init__",
          [](Matrix* self, int inputs, const std::vector<int>& types, int run_bytes, int min_items) {
            new (self) Matrix(make_matrix(inputs, types, run_bytes, min_items));
          },
          "inputs"_a, "unit_types"_a, "run_bytes"_a = 2304, "min_items"_a = 8)
      .def_ro("inputs", &Matrix::inputs)
      .def_ro("units", &Matrix::units)
      .def_ro("nbytes", &Matrix::bytes)
      .def_prop_ro("run_bytes", [](const Matrix& m) { return m.panels[0].run_bytes; })
      .def_prop_ro("outputs", &Matrix::outputs)
      .def_prop_ro("superblocks", &Matrix::superblocks)
      .def("pack", &pack_rows, "first_unit"_a, "unit_step"_a, "rows"_a, "row_count"_a, "out"_a.noconvert())
      .def("unpack", &unpack, "unit"_a, "superblock"_a, "data"_a)
      .def("multiply", &multiply, "data"_a, "x"_a, "y"_a.noconvert(), "one_row"_a = false);
  m.def(
      "screen_bytes",
      [](int inputs, int outputs) { return screen_unit_bytes(inputs) * ((outputs + kUnit - 1) / kUnit); }, "inputs"_a,
      "outputs"_a);
  m.def("pack_screen", &pack_screen_rows, "type"_a, "inputs"_a, "rows"_a, "first_row"_a, "row_count"_a,
        "out"_a.noconvert());
  m.def("add_column_squares", &add_column_squares, "type"_a, "inputs"_a, "rows"_a, "row_count"_a, "sums"_a.noconvert());
  m.def("sparsify", &sparsify, "x"_a, "threshold"_a, "block"_a, "halves"_a = false);
}

}  // namespace midline
