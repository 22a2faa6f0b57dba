// Speed of products of codes per instruction set, width of a code and number of rows, one thread, the
// matrices of SmolLM2-135M: Gop/s (two for each weight and row), and milliseconds that all matrices take for
// a row.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "src/cpu/int8_product.hpp"
#include "synthema/core/random.hpp"

using namespace synthema;
using namespace synthema::cpu;

namespace {

struct Shape {
  const char* name;
  std::int64_t outputs, inputs;
  int times;  // in the model
};
constexpr Shape kShapes[] = {{"queries, keys, values", 960, 576, 30},
                             {"attention's output", 576, 576, 30},
                             {"gate and up", 3072, 576, 30},
                             {"down", 576, 1536, 30},
                             {"head", 49152, 576, 1}};

CodedMatrix random_matrix(const Shape& shape, int bits, Random& random) {
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(shape.outputs * shape.inputs));
  for (std::uint8_t& code : codes) code = static_cast<std::uint8_t>(random.below(std::uint64_t{1} << bits));
  const std::vector<float> scales(codes.size() / 32, 0.01f);
  SharedPages memory;
  return {shape.outputs, shape.inputs, {32, bits, 1 << (bits - 1), false}, codes, scales, {}, memory};
}

CodedRows random_rows(std::int64_t rows, std::int64_t inputs, Random& random) {
  CodedRows out(rows, inputs);
  std::vector<float> x(static_cast<std::size_t>(inputs));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (float& value : x) value = static_cast<float>(random.uniform() - 0.5);
    out.set(row, x.data());
  }
  return out;
}

// Best of some rounds, in seconds of CPU time: the machine may be busy.
double seconds(const CodedRows& rows, const CodedMatrix& matrix, InstructionSet set) {
  std::vector<float> out(static_cast<std::size_t>(rows.rows() * matrix.outputs()));
  double best = 1e9;
  for (int round = 0; round < 7; ++round) {
    const std::clock_t start = std::clock();
    multiply(rows, matrix, 0, matrix.panels(), nullptr, out.data(), matrix.outputs(), set);
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

void measure(InstructionSet set, int bits, std::int64_t rows) {
  Random random(1);
  double operations = 0, time = 0;
  for (const Shape& shape : kShapes) {
    const double one =
        seconds(random_rows(rows, shape.inputs, random), random_matrix(shape, bits, random), set);
    operations += 2.0 * static_cast<double>(shape.outputs * shape.inputs * rows * shape.times);
    time += one * shape.times;
  }
  std::printf("%-10s %d bits %4d rows %8.0f Gop/s %8.3f ms a row\n", std::string(name_of(set)).c_str(), bits,
              static_cast<int>(rows), operations / time / 1e9, 1e3 * time / static_cast<double>(rows));
}

}  // namespace

int main() {
  for (const InstructionSet set : supported_instruction_sets())
    if (set != InstructionSet::portable)  // it takes minutes
      for (const int bits : {4, 8})
        for (const std::int64_t rows : {1, 8, 64}) measure(set, bits, rows);
}
