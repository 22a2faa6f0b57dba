// Generators of tables. Python's classes with defaults and frames are in synthema/tabular.py.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "bindings/tabular_generator.hpp"
#include "bindings/values.hpp"
#include "synthema/data/row_numbers.hpp"
#include "synthema/generate/tabular/bootstrap_copy.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"
#include "synthema/generate/tabular/independent_marginals.hpp"
#include "synthema/generate/tabular/private_marginals.hpp"
#include "synthema/generate/tabular/sampling_targets.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

namespace synthema::bindings {

namespace {

// The smallest and the largest, where a real does not tell one of them from its neighbours.
std::optional<std::pair<std::int64_t, std::int64_t>> far_integers(const Column& column) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (column.kind() != Kind::integer || column.null_count() == column.size()) return std::nullopt;
  auto lowest = std::numeric_limits<std::int64_t>::max(), highest = std::numeric_limits<std::int64_t>::min();
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    lowest = std::min(lowest, column.integers()[row]);
    highest = std::max(highest, column.integers()[row]);
  }
  if (lowest >= -kExact && highest <= kExact) return std::nullopt;
  return std::pair(lowest, highest);
}

void bind_private(py::module_& module) {
  using G = PrivateMarginals;
  auto bound = bind_generator<G>(module, "_PrivateMarginals", "Noisy marginals, differentially private.");
  bound
      .def(py::init([](double epsilon, double delta, std::string target, double target_weight,
                       std::size_t rows_per_person, std::size_t bins, double first_share, std::size_t rounds,
                       std::size_t max_cells, bool infer, std::string ledger, std::size_t threads) {
             return G({.epsilon = epsilon,
                       .delta = delta,
                       .target = std::move(target),
                       .target_weight = target_weight,
                       .rows_per_person = rows_per_person,
                       .bins = bins,
                       .first_share = first_share,
                       .rounds = rounds,
                       .max_cells = max_cells,
                       .infer = infer,
                       .ledger = std::move(ledger),
                       .threads = threads});
           }),
           py::kw_only(), py::arg("epsilon") = 1.0, py::arg("delta") = 1e-6, py::arg("target") = "",
           py::arg("target_weight") = PrivateMarginalsOptions{}.target_weight, py::arg("rows_per_person") = 1,
           py::arg("bins") = PrivateMarginalsOptions{}.bins,
           py::arg("first_share") = PrivateMarginalsOptions{}.first_share, py::arg("rounds") = 0,
           py::arg("max_cells") = PrivateMarginalsOptions{}.max_cells, py::arg("infer") = true,
           py::arg("ledger") = "", py::arg("threads") = 0)
      .def_property_readonly("marginals", &G::marginals, "The columns of each marginal that was measured.")
      .def_property_readonly(
          "options",
          [](const G& g) {
            const PrivateMarginalsOptions& o = g.options();
            return py::dict(py::arg("epsilon") = o.epsilon, py::arg("delta") = o.delta,
                            py::arg("target") = o.target, py::arg("target_weight") = o.target_weight,
                            py::arg("rows_per_person") = o.rows_per_person, py::arg("bins") = o.bins,
                            py::arg("first_share") = o.first_share, py::arg("rounds") = o.rounds,
                            py::arg("max_cells") = o.max_cells, py::arg("infer") = o.infer);
          },
          "What it was made with.");
  bind_stated_fit(bound);
  bind_file(bound);
  bind_log_prob(bound);
}

// For generators of both modules, and of Python: `sample` is called with rows, seed, conditions and whether
// it is for the last time.
Table sample_to(const Schema& schema, const py::function& sample, std::uint64_t rows, std::uint64_t seed,
                const std::shared_ptr<Table>& conditions, const py::dict& balance,
                std::vector<std::string> targets, std::vector<std::string> sensitive) {
  SamplingTargets wanted{{}, std::move(targets), std::move(sensitive)};
  for (const auto& [column, shares] : balance) {
    ColumnShares& one = wanted.balance.emplace_back(ColumnShares{column.cast<std::string>()});
    for (const auto& [value, weight] : shares.cast<py::dict>())
      one.shares.emplace_back(value_from_python(value, one.column), weight.cast<double>());
  }
  const SampleFunction call = [&](const SampleRequest& one) {
    const auto fixed = std::const_pointer_cast<Table>(one.conditions);
    return *sample(one.rows, one.seed, fixed, static_cast<bool>(one.progress)).cast<std::shared_ptr<Table>>();
  };
  const SampleRequest request{
      .rows = rows, .seed = seed, .conditions = conditions, .progress = [](const Progress&) {}, .cancel = {}};
  return sample_with_targets(schema, call, request, wanted);
}

}  // namespace

void bind_tabular(py::module_& module) {
  auto trees =
      bind_generator<SequentialTrees>(module, "_SequentialTrees", "One column after the other, by trees.");
  trees
      .def(py::init([](std::string target, std::vector<std::string> first, std::size_t min_leaf,
                       double min_gain, std::size_t rare_below, std::size_t particles, std::size_t predictors,
                       std::vector<std::vector<std::string>> combinations, std::size_t threads) {
             return SequentialTrees({.target = std::move(target),
                                     .first = std::move(first),
                                     .min_leaf = min_leaf,
                                     .min_gain = min_gain,
                                     .rare_below = rare_below,
                                     .particles = particles,
                                     .predictors = predictors,
                                     .combinations = std::move(combinations),
                                     .threads = threads});
           }),
           py::kw_only(), py::arg("target") = "", py::arg("first") = std::vector<std::string>{},
           py::arg("min_leaf") = 0, py::arg("min_gain") = 3.0, py::arg("rare_below") = 5,
           py::arg("particles") = 32, py::arg("predictors") = 64,
           py::arg("combinations") = std::vector<std::vector<std::string>>{}, py::arg("threads") = 0)
      .def_property_readonly("order", &SequentialTrees::order,
                             "Columns in the order in which they are drawn.")
      .def_property_readonly(
          "options",
          [](const SequentialTrees& g) {
            const SequentialTreesOptions& o = g.options();
            return py::dict(py::arg("target") = o.target, py::arg("first") = o.first,
                            py::arg("min_leaf") = o.min_leaf, py::arg("min_gain") = o.min_gain,
                            py::arg("rare_below") = o.rare_below, py::arg("particles") = o.particles,
                            py::arg("predictors") = o.predictors, py::arg("combinations") = o.combinations);
          },
          "What it was made with.");
  bind_file(trees);
  bind_log_prob(trees);
  bind_impute(trees);
  const auto bind_plain = [&]<class G, class Options>(const char* name, const char* help, G*, Options*) {
    auto bound = bind_generator<G>(module, name, help);
    bound
        .def(py::init([](std::size_t rare_below, std::size_t threads) {
               return G(Options{.rare_below = rare_below, .threads = threads});
             }),
             py::kw_only(), py::arg("rare_below") = 5, py::arg("threads") = 0)
        .def_property_readonly(
            "options", [](const G& g) { return py::dict(py::arg("rare_below") = g.options().rare_below); },
            "What it was made with.");
    bind_file(bound);
    bind_log_prob(bound);
  };
  bind_plain("_IndependentMarginals", "Every column by itself.", static_cast<IndependentMarginals*>(nullptr),
             static_cast<IndependentMarginalsOptions*>(nullptr));
  bind_plain("_GaussianCopula", "Columns tied by a normal vector.", static_cast<GaussianCopula*>(nullptr),
             static_cast<GaussianCopulaOptions*>(nullptr));
  bind_private(module);
  module.def("_sample_with_targets", &sample_to, py::arg("schema"), py::arg("sample"), py::arg("rows"),
             py::arg("seed"), py::arg("conditions"), py::arg("balance"), py::arg("targets"),
             py::arg("sensitive"), "Rows of a generator under stated shares and parity.");
  module.def(
      "_zones",
      [](const Table& table) {
        py::dict out;
        for (std::size_t c = 0; c < table.columns(); ++c)
          if (table.column(c).kind() == Kind::time && !table.column(c).zone().empty())
            out[py::str(table.schema().fields[c].name)] = table.column(c).zone();
        return out;
      },
      py::arg("table"), "The time zones of the columns that have one, by name.");
  module.def(
      "_far_integers",
      [](const Table& table) {
        py::dict out;
        for (std::size_t c = 0; c < table.columns(); ++c)
          if (const auto ends = far_integers(table.column(c)))
            out[py::str(table.schema().fields[c].name)] = *ends;
        return out;
      },
      py::arg("table"), "The ends of the columns of whole numbers that reach beyond 2^53, by name.");
  module.def("_row_number_columns", &row_number_columns, py::arg("table"),
             "Columns without a role that count the rows.");
  module.def(
      "_labels",
      [](const Table& table) {
        py::dict out;
        for (std::size_t c = 0; c < table.columns(); ++c) {
          if (table.column(c).kind() != Kind::category) continue;
          py::list labels;
          const Column& known = table.column(c).labels();
          for (std::size_t i = 0; i < known.size(); ++i)
            labels.append(py::str(std::string(known.text_at(i))));
          out[py::str(table.schema().fields[c].name)] = labels;
        }
        return out;
      },
      py::arg("table"), "The labels that columns of categories may have, in their order, by name.");
  module.def(
      "_copula_from_statistics",
      [](std::string_view json, const std::string& file, std::size_t threads) {
        return GaussianCopula::from_statistics(statistics_from_json(json, file), {.threads = threads});
      },
      py::arg("json"), py::arg("file") = "", py::arg("threads") = 0,
      "A copula from published statistics in JSON.");
  bind_generator<BootstrapCopy>(module, "_BootstrapCopy", "Real rows, drawn with replacement.")
      .def(py::init<bool>(), py::kw_only(), py::arg("release") = false);
}

}  // namespace synthema::bindings
