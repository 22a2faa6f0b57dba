// Concepts Generator and FittableGenerator: a schema and real or seed data in, a Table out.
//
// Required of G: name(); schema() -> const Schema&, of the rows it makes; sample(SampleRequest) -> Table with
// exactly request.rows rows in row-id order, or GenerationError (with what was reached and why no more came).
// Same seed, same Table, whatever the batch size, the number of threads or an interruption.
// FittableGenerator adds fit(const Table&), which returns nothing and may be called again (it starts afresh).
// LikelihoodGenerator adds log_prob(const Table&): for each row the natural logarithm of its probability
// under what was fitted, by the measure of generate/tabular/cell_density.hpp, so that methods can be compared
// on the same rows. Columns that are drawn afresh (identifiers, subjects, free texts) are left out; -infinity
// where the generator never makes the row.
// Not required: conditions (see ConditionalGenerator), privacy, saving.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "synthema/core/progress.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

struct SampleRequest {
  std::uint64_t rows = 0;
  std::uint64_t seed = 0;
  std::shared_ptr<const Table> conditions =
      {};                      // null: the generator's own; else row i of the result agrees with row i mod n
  ProgressSink progress = {};  // may be empty
  CancelToken cancel = {};
};

template <class G>
concept Generator = std::movable<G> && requires(G& g, const G& c, const SampleRequest& request) {
  { c.name() } -> std::convertible_to<std::string_view>;
  { c.schema() } -> std::convertible_to<const Schema&>;
  { g.sample(request) } -> std::same_as<Table>;
};

template <class G>
concept FittableGenerator = Generator<G> && requires(G& g, const Table& real) { g.fit(real); };

template <class G>
concept LikelihoodGenerator = FittableGenerator<G> && requires(const G& g, const Table& rows) {
  { g.log_prob(rows) } -> std::same_as<std::vector<double>>;
};

// Opt-in: `static constexpr bool honours_conditions = true;`
template <class G>
concept ConditionalGenerator = Generator<G> && requires { requires G::honours_conditions; };

}  // namespace synthema
