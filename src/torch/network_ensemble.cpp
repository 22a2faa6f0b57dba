#include "src/torch/network_ensemble.hpp"

#include <utility>

namespace synthema::detail {

NetworkShape joined_shape(NetworkShape member, std::size_t members) {
  member.width *= members;
  member.head *= members;
  return member;
}

Floats joined_parameters(const ColumnNetwork& member, std::span<const Floats> members,
                         const ColumnNetwork& whole) {
  Floats out(whole.parameters());
  const std::size_t width = member.shape().width, head = member.shape().head, count = members.size();
  const std::size_t all_width = whole.shape().width, all_head = whole.shape().head;
  const auto share = static_cast<float>(1.0 / static_cast<double>(count));
  for (std::size_t v = 0; v < member.variables(); ++v) {
    const ColumnNetwork::Place& from = member.place(v);
    const ColumnNetwork::Place& to = whole.place(v);
    for (std::size_t m = 0; m < count; ++m) {
      const float* const own = members[m].data();
      // An array of `rows` of `columns`, to row `row` and column `column` of one that is `stride` wide.
      const auto put = [&](std::size_t source, std::size_t rows, std::size_t columns, std::size_t target,
                           std::size_t row, std::size_t column, std::size_t stride, float scale = 1) {
        for (std::size_t i = 0; i < rows; ++i)
          for (std::size_t k = 0; k < columns; ++k)
            out[target + (row + i) * stride + column + k] += scale * own[source + i * columns + k];
      };
      put(from.vectors, member.shape().classes[v], width, to.vectors, 0, m * width, all_width);
      put(from.shift, 1, width, to.shift, 0, m * width, all_width);
      put(from.inner, width, head, to.inner, m * width, m * head, all_head);
      put(from.inner_bias, 1, head, to.inner_bias, 0, m * head, all_head);
      put(from.outer, head, from.padded, to.outer, m * head, 0, to.padded, share);
      put(from.outer_bias, 1, from.padded, to.outer_bias, 0, 0, to.padded, share);
    }
  }
  return out;
}

}  // namespace synthema::detail
