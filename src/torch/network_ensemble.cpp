#include "src/torch/network_ensemble.hpp"

#include <utility>

namespace synthema::detail {

NetworkShape joined_shape(NetworkShape member, std::size_t members) {
  member.width *= members;
  member.head *= members;
  return member;
}

namespace {

// Of a member's parameters: in a place of their own in the whole; there too, as a share of the mean; or added
// to those of the others.
enum class Part { own, scaled, summed };

// All that members learnt, row by row: visit(member, where it is in the member, where in the whole, how many
// numbers, what part).
template <class Visit>
void over_blocks(const ColumnNetwork& member, std::size_t members, const ColumnNetwork& whole,
                 const Visit& visit) {
  const std::size_t width = member.shape().width, head = member.shape().head;
  const std::size_t all_width = whole.shape().width, all_head = whole.shape().head;
  for (std::size_t v = 0; v < member.variables(); ++v) {
    const ColumnNetwork::Place& from = member.place(v);
    const ColumnNetwork::Place& to = whole.place(v);
    for (std::size_t m = 0; m < members; ++m) {
      // An array of `rows` of `columns`, to row `row` and column `column` of one that is `stride` wide.
      const auto put = [&](std::size_t source, std::size_t rows, std::size_t columns, std::size_t target,
                           std::size_t row, std::size_t column, std::size_t stride, Part part) {
        for (std::size_t i = 0; i < rows; ++i)
          visit(m, source + i * columns, target + (row + i) * stride + column, columns, part);
      };
      put(from.vectors, member.shape().classes[v], width, to.vectors, 0, m * width, all_width, Part::own);
      put(from.shift, 1, width, to.shift, 0, m * width, all_width, Part::own);
      put(from.inner, width, head, to.inner, m * width, m * head, all_head, Part::own);
      put(from.inner_bias, 1, head, to.inner_bias, 0, m * head, all_head, Part::own);
      put(from.outer, head, from.padded, to.outer, m * head, 0, to.padded, Part::scaled);
      put(from.outer_bias, 1, from.padded, to.outer_bias, 0, 0, to.padded, Part::summed);
    }
  }
}

Floats joined(const ColumnNetwork& member, std::size_t members, const ColumnNetwork& whole, float share,
              const auto& parameters_of) {
  Floats out(whole.parameters());
  over_blocks(member, members, whole,
              [&](std::size_t m, std::size_t from, std::size_t to, std::size_t count, Part part) {
                const float scale = part == Part::own ? 1 : share;
                const float* const own = parameters_of(m);
                for (std::size_t k = 0; k < count; ++k) out[to + k] += scale * own[from + k];
              });
  return out;
}

}  // namespace

Floats joined_parameters(const ColumnNetwork& member, std::span<const Floats> members,
                         const ColumnNetwork& whole) {
  const auto share = static_cast<float>(1.0 / static_cast<double>(members.size()));
  return joined(member, members.size(), whole, share, [&](std::size_t m) { return members[m].data(); });
}

std::vector<float> packed_parameters(const ColumnNetwork& member, std::size_t members,
                                     const ColumnNetwork& whole, std::span<const float> parameters) {
  std::vector<float> out(members * member.parameters());
  over_blocks(member, members, whole,
              [&](std::size_t m, std::size_t from, std::size_t to, std::size_t count, Part part) {
                if (part == Part::summed && m > 0) return;
                for (std::size_t k = 0; k < count; ++k)
                  out[m * member.parameters() + from + k] = parameters[to + k];
              });
  return out;
}

Floats unpacked_parameters(const ColumnNetwork& member, std::size_t members, const ColumnNetwork& whole,
                           std::span<const float> packed) {
  return joined(member, members, whole, 1,
                [&](std::size_t m) { return packed.data() + m * member.parameters(); });
}

}  // namespace synthema::detail
