#include "synthema/generate/tabular/private_marginals.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/generate/tabular/marginal_measuring.hpp"
#include "src/generate/tabular/marginal_rows.hpp"
#include "src/generate/tabular/model_arrays.hpp"
#include "src/generate/tabular/private_file.hpp"
#include "src/generate/tabular/private_terms.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "synthema/core/error.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema {

namespace {

constexpr double kMostModelCells = 1e9;  // that a file may ask for

detail::PrivateTerms terms_of(const PrivateMarginalsOptions& options) {
  return {.epsilon = options.epsilon,
          .delta = options.delta,
          .rows_per_person = options.rows_per_person,
          .bins = options.bins,
          .first_share = options.first_share,
          .infer = options.infer};
}

void check(const PrivateMarginalsOptions& options) {
  detail::check_terms(terms_of(options), 1000000, 1024);
  if (!(options.target_weight >= 1 && std::isfinite(options.target_weight)))
    throw ConfigError({.field = "target_weight"},
                      "Pairs with the target count at least as much as others: the weight is 1 or more.");
  if (!(options.max_cells >= 1000 && options.max_cells <= 100000000))
    throw ConfigError({.field = "max_cells"}, "The cliques of a model have 1,000 to 100,000,000 cells.");
}

void refuse_keys(const RowRules& rules) {
  if (!rules.keys().empty())
    throw GenerationError(
        {.field = "groups"},
        "PrivateMarginals does not keep keys (groups 'unique'); leave these groups out of the "
        "schema, or take SequentialTrees, which is not private.");
}

}  // namespace

PrivateMarginals::PrivateMarginals(PrivateMarginalsOptions options) : options_(std::move(options)) {
  check(options_);
}

void PrivateMarginals::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  NoiseSource noise = NoiseSource::operating_system();
  fit(real, noise, progress, cancel);
}

void PrivateMarginals::fit(const Table& real, NoiseSource& noise, const ProgressSink& progress,
                           const CancelToken& cancel) {
  cancel.check();
  if (real.columns() == 0) throw SchemaError("The table has no columns; there is nothing to learn.");
  PrivateMarginals made(options_);
  made.schema_ = real.schema();
  const detail::PrivateTerms terms = terms_of(options_);
  const std::string target = detail::target_of(real.schema(), options_.target);
  const detail::PrivatePlan plan = detail::plan_of(real.schema(), terms, target);
  check_domain(real, plan.domain, plan.rows_each);
  if (std::ranges::find(real.schema().groups, "unique", &GroupRule::kind) != real.schema().groups.end())
    refuse_keys(check_rules(real));
  LedgerEntry entry = detail::entry_of(real.schema(), terms, "model", noise);
  entry.mechanism = "private marginals: discrete Gaussian and exponential mechanism, zero-concentrated";
  entry.sensitivity = plan.rows_each;
  entry.noise_multiplier = 1 / std::sqrt(2 * plan.rho);
  entry.steps = 1;
  if (!options_.ledger.empty()) LedgerFile(options_.ledger).append(entry);  // before the first draw
  made.ledger_.add(entry);

  PrivateBudget budget(plan.rho, plan.rows_each, noise);
  const std::vector<std::size_t> rows = detail::rows_used(real, options_.rows_per_person, noise);
  PrivateDomain domain = discover_domain(real, rows, plan.domain, budget);
  made.columns_ = std::move(domain.columns);
  made.note_modelled();
  rules_of_domain(made.schema_, codings_of(made.columns_));
  detail::MeasuringOptions measuring{.target_weight = options_.target_weight,
                                     .rounds = options_.rounds,
                                     .max_cells = options_.max_cells,
                                     .threads = options_.threads};
  for (std::size_t v = 0; v < made.modelled_.size(); ++v)
    if (real.schema().fields[made.modelled_[v]].name == target) measuring.target = v;
  const detail::MeasuredTable table{real.schema(), made.columns_, made.modelled_, domain.states};
  made.model_ =
      detail::measure_table(table, std::move(domain.marginals), measuring, budget, progress, cancel);
  made.spending_ = budget.spending();
  if (progress) progress({.phase = "fit", .done = 100, .total = 100, .note = {}});
  *this = std::move(made);
}

void PrivateMarginals::note_modelled() {
  modelled_.clear();
  for (std::size_t c = 0; c < columns_.size(); ++c)
    if (columns_[c].modelled()) modelled_.push_back(c);
}

Table PrivateMarginals::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const detail::MarginalRows rows(schema_, columns_, modelled_, model_, options_.threads);
  const CellConditions conditions(request.conditions.get(), rows.codings(), rows.rules(), name());
  refuse_keys(rows.rules());
  const std::vector<std::vector<double>> cells = rows.draw(request, conditions);
  CodedTable coded;
  coded.schema = schema_;
  coded.columns.assign(rows.codings().begin(), rows.codings().end());
  return detail::decoded(coded, cells, request.rows, Random(request.seed), options_.threads);
}

std::vector<double> PrivateMarginals::log_prob(const Table& table, const ProgressSink& progress,
                                               const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const detail::MarginalRows rows(schema_, columns_, modelled_, model_, options_.threads);
  return rows.log_prob(cells_of(rows.codings(), table), table.rows(), progress, cancel);
}

std::vector<std::string> PrivateMarginals::untold() const {
  return untold_of(columns_);
}

std::vector<std::string> PrivateMarginals::unresolved() const {
  return unresolved_of(columns_);
}

std::vector<std::string> PrivateMarginals::one_label() const {
  return one_label_of(columns_);
}

std::vector<std::vector<std::string>> PrivateMarginals::marginals() const {
  std::vector<std::vector<std::string>> out;
  for (const VariableSet& set : model_.sets()) {
    std::vector<std::string>& names = out.emplace_back();
    for (const std::uint32_t v : set) names.push_back(schema_.fields[modelled_[v]].name);
  }
  return out;
}

std::string PrivateMarginals::describe(bool each_release) const {
  detail::require_fitted(fitted());
  double rho = 0;
  for (const PrivateSpending& one : spending_) rho += one.rho;
  return detail::promise_text(ledger_.entries().front()) + message("Spent, of rho ", rho, " in all") +
         detail::spending_text(spending_, each_release) + detail::ranges_text(columns_) +
         detail::gaps_text(columns_);
}

std::string PrivateMarginals::save() const {
  detail::require_fitted(fitted());
  using detail::ArrayJson;
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"epsilon", options_.epsilon},
                           {"delta", options_.delta},
                           {"target", options_.target},
                           {"target_weight", options_.target_weight},
                           {"rows_per_person", options_.rows_per_person},
                           {"bins", options_.bins},
                           {"first_share", options_.first_share},
                           {"rounds", options_.rounds},
                           {"max_cells", options_.max_cells},
                           {"infer", options_.infer}};
  file.about["private"] = is_private();
  file.about["ledger"] = ArrayJson::parse(to_json(ledger_));
  detail::put_spending(file, spending_);
  file.about["schema"] = ArrayJson::parse(to_json(schema_));
  detail::put_private_columns(file, columns_);
  file.about["total"] = model_.total();
  file.about["sets"] = model_.sets();
  for (std::size_t s = 0; s < model_.sets().size(); ++s)
    file.put(message("potential.", s), model_.potentials()[s]);
  const std::string digest = file.digest();
  file.about["digest"] = digest;
  return file.file();
}

namespace {

using detail::ArrayJson;
using detail::ModelArrays;

// What the releases cost, from their noise alone, must be what the ledger says or less.
void check_ledger(const ModelArrays& file, const Ledger& ledger, std::span<const PrivateSpending> spending) {
  const LedgerEntry& entry = detail::only_entry(file, ledger);
  const auto [rho, delta] = detail::cost_of(file, spending, entry.sensitivity);
  file.require(!spending.empty() && rho > 0 && rho < 1e12, "no measurement in its ledger");
  file.require(delta < entry.delta && entry.delta < 1 && entry.epsilon > 0, "a ledger without a budget");
  file.require(epsilon_of_rho(rho, entry.delta - delta) <= entry.epsilon * (1 + 1e-6),
               "more was spent than its ledger says");
}

}  // namespace

PrivateMarginals PrivateMarginals::load(std::string_view bytes, const std::string& path) {
  ModelArrays file(bytes, path, "private_marginals");
  PrivateMarginals out;
  try {
    const auto digest = file.value<std::string>(file.about, "digest");
    file.about.erase("digest");
    file.require(file.digest() == digest, "it was changed after it was saved");
    const auto options = file.value<ArrayJson>(file.about, "options");
    PrivateMarginalsOptions& o = out.options_;
    o.epsilon = file.value<double>(options, "epsilon");
    o.delta = file.value<double>(options, "delta");
    o.target = file.value<std::string>(options, "target");
    o.target_weight = file.value<double>(options, "target_weight");
    o.rows_per_person = file.value<std::size_t>(options, "rows_per_person");
    o.bins = file.value<std::size_t>(options, "bins");
    o.first_share = file.value<double>(options, "first_share");
    o.rounds = file.value<std::size_t>(options, "rounds");
    o.max_cells = file.value<std::size_t>(options, "max_cells");
    o.infer = file.value<bool>(options, "infer");
    check(o);
    out.schema_ = schema_from_json(file.value<ArrayJson>(file.about, "schema").dump());
    out.ledger_ = ledger_from_json(file.value<ArrayJson>(file.about, "ledger").dump());
    out.spending_ = detail::get_spending(file);
    check_ledger(file, out.ledger_, out.spending_);
    out.columns_ = detail::get_private_columns(file, out.schema_);
    out.note_modelled();
    std::vector<std::size_t> sizes;
    for (const std::size_t c : out.modelled_) sizes.push_back(out.columns_[c].states);
    const auto sets = file.value<std::vector<VariableSet>>(file.about, "sets");
    for (const VariableSet& set : sets)
      for (const std::uint32_t v : set)
        file.require(v < sizes.size(), "a marginal of a column that is not there");
    file.require(JunctionTree::cells_of(sizes, sets) <= kMostModelCells, "a model too large to be ours");
    std::vector<std::vector<double>> potentials;
    for (std::size_t s = 0; s < sets.size(); ++s) {
      potentials.push_back(file.get<double>(message("potential.", s)));
      for (const double p : potentials.back())
        file.require(std::isfinite(p) && std::abs(p) < 1e12, "a potential that is not a number");
      file.require(!potentials.back().empty(), "a marginal without a potential");
    }
    out.model_ = GraphicalModel(sizes, file.value<double>(file.about, "total"));
    if (!sets.empty()) out.model_.add(sets, potentials);
  } catch (const ModelError&) {
    throw;
  } catch (const Error& error) {
    file.fail(error.what());
  }
  return out;
}

}  // namespace synthema
