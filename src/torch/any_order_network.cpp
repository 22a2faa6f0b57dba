#include "synthema/torch/any_order_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "src/generate/tabular/imputed_table.hpp"
#include "src/generate/tabular/private_terms.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/torch/network_block.hpp"
#include "src/torch/threads_guard.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema {

namespace {

using detail::kNever;

void check(const NetworkPrivacy& privacy) {
  detail::check_terms(detail::terms_of(privacy), 100, detail::kMostClasses - 1);
  const auto require = [](bool holds, const char* field, const char* what) {
    if (!holds) throw ConfigError({.field = field}, what);
  };
  require(privacy.pairs_share > 0 && privacy.first_share + privacy.pairs_share < 1, "pairs_share",
          "The share of pairs lies above 0 and leaves, with that of single columns, something to learning.");
  require(privacy.clip > 0 && std::isfinite(privacy.clip), "clip",
          "The norm to which gradients are cut is a positive number.");
  require(privacy.sampling_rate > 0 && privacy.sampling_rate <= 1, "sampling_rate",
          "The share of people in a step lies above 0 and is at most 1.");
  require(privacy.steps >= 1 && privacy.steps <= 10'000'000, "steps", "There are 1 to 10,000,000 steps.");
}

void check(const AnyOrderNetworkOptions& options) {
  if (std::ranges::find(detail::kNetworkSizes, options.size, &detail::NetworkSize::name) ==
      detail::kNetworkSizes.end())
    throw ConfigError({.field = "size"}, message("A network is 'small', 'medium' or 'large'; '", options.size,
                                                 "' is none of these."));
  if (options.rounds < 1) throw ConfigError({.field = "rounds"}, "At least one round is learnt.");
  if (!(options.validation > 0 && options.validation <= 0.5))
    throw ConfigError({.field = "validation"},
                      "The share of people set aside lies above 0 and is at most 0.5.");
  if (options.members > detail::kMostMembers)
    throw ConfigError({.field = "members"},
                      message("At most ", detail::kMostMembers, " networks are joined."));
  if (!(options.rate >= 0 && options.rate <= 1))
    throw ConfigError({.field = "rate"}, "The rate of learning is at most 1; 0 leaves it to the method.");
  for (const auto& [column, temperature] : options.temperature)
    if (!(temperature > 0 && std::isfinite(temperature)))
      throw ConfigError({.field = column}, "The temperature of a column is a positive number.");
  if (options.privacy) check(*options.privacy);
}

}  // namespace

AnyOrderNetwork::AnyOrderNetwork(AnyOrderNetworkOptions options) : options_(std::move(options)) {
  check(options_);
}
AnyOrderNetwork::~AnyOrderNetwork() = default;
AnyOrderNetwork::AnyOrderNetwork(AnyOrderNetwork&&) noexcept = default;
AnyOrderNetwork& AnyOrderNetwork::operator=(AnyOrderNetwork&&) noexcept = default;

bool AnyOrderNetwork::fitted() const {
  return fitted_ != nullptr;
}

const Schema& AnyOrderNetwork::schema() const {
  static const Schema none;
  return fitted_ ? fitted_->coded.schema : none;
}

std::vector<std::string> AnyOrderNetwork::order() const {
  std::vector<std::string> out;
  if (fitted_)
    for (const std::size_t column : fitted_->order) out.push_back(fitted_->coded.schema.fields[column].name);
  return out;
}

std::size_t AnyOrderNetwork::parameters() const {
  return fitted_ ? fitted_->members * detail::ColumnNetwork(fitted_->member).parameters() : 0;
}
double AnyOrderNetwork::validation_loss() const {
  return fitted_ ? fitted_->loss : std::numeric_limits<double>::quiet_NaN();
}
std::size_t AnyOrderNetwork::rounds() const {
  return fitted_ ? fitted_->rounds : 0;
}

const Ledger& AnyOrderNetwork::ledger() const {
  static const Ledger none;
  return fitted_ ? fitted_->ledger : none;
}
const std::vector<PrivateSpending>& AnyOrderNetwork::spending() const {
  static const std::vector<PrivateSpending> none;
  return fitted_ ? fitted_->spending : none;
}
bool AnyOrderNetwork::is_private() const {
  return fitted_ && fitted_->is_private() && fitted_->ledger.is_private();
}
std::vector<std::string> AnyOrderNetwork::untold() const {
  return fitted_ ? untold_of(fitted_->told) : std::vector<std::string>();
}

std::vector<std::string> AnyOrderNetwork::unresolved() const {
  return fitted_ ? unresolved_of(fitted_->told) : std::vector<std::string>();
}

std::vector<std::string> AnyOrderNetwork::one_label() const {
  return fitted_ ? one_label_of(fitted_->told) : std::vector<std::string>();
}

std::string AnyOrderNetwork::describe(bool each_release) const {
  detail::require_fitted(fitted());
  if (!fitted_->is_private())
    return "Not differentially private: fitted without a budget. Values that few people have are not handed "
           "on.\n";
  const LedgerEntry& entry = fitted_->ledger.entries().front();
  return detail::promise_text(entry) +
         message("Learnt: ", entry.steps, " steps of DP-SGD, each with a share of ", entry.sampling_rate,
                 " of the people, gradients cut to a norm of ", options_.privacy->clip, ", noise multiplier ",
                 entry.noise_multiplier, ".\nSpent before, on counts of one to three columns") +
         detail::spending_text(fitted_->spending, each_release) + detail::ranges_text(fitted_->told) +
         detail::gaps_text(fitted_->told);
}

Table AnyOrderNetwork::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const CellConditions conditions(request.conditions.get(), fitted_->coded.columns, fitted_->rules, name());
  detail::refuse_contradictions(fitted_->rules, fitted_->coded.columns, conditions);
  return fitted_->draw_rows(request, conditions, false);
}

Table AnyOrderNetwork::impute(const Table& given, std::uint64_t seed, const ProgressSink& progress,
                              const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const Table table = detail::of_fitted_kinds(fitted_->coded.columns, given);
  const CellConditions conditions(&table, fitted_->coded.columns, fitted_->rules, name(), true);
  const SampleRequest request{.rows = table.rows(), .seed = seed, .progress = progress, .cancel = cancel};
  return detail::filled_table(table, fitted_->draw_rows(request, conditions, true));
}

std::vector<double> AnyOrderNetwork::log_prob(const Table& table, const ProgressSink& progress,
                                              const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const Fitted& model = *fitted_;
  const std::vector<std::vector<double>> cells = cells_of(model.coded.columns, table);
  std::vector<double> out = detail::log_share_of_absent(model.coded.columns, cells, table.rows());
  detail::over_rows(
      {.rows = table.rows(), .progress = progress, .cancel = cancel}, model.threads,
      [&](std::size_t first, std::size_t last) {
        const detail::ThreadsGuard alone(1);
        Fitted::Block block(model);
        std::vector<std::uint64_t> rows;
        for (std::size_t row = first; row < last; ++row) rows.push_back(row);
        block.begin(rows);
        for (const std::size_t column : model.order) {
          const auto own = std::span(cells[column]).subspan(first, last - first);
          if (model.is_private()) {
            const std::vector<double> told = block.told_densities(column, own);
            for (std::size_t i = 0; i < own.size(); ++i)
              if (std::isfinite(out[first + i] += told[i])) block.learn_of(i, column, own[i]);
            continue;
          }
          std::vector<double> ratios(own.size(), 1.0);
          if (model.classes[column].variables() > 1) ratios = block.label_ratios(column, own);
          block.ask(column, 0);
          for (std::size_t i = 0; i < own.size(); ++i) {
            double& sum = out[first + i];
            if (!std::isfinite(sum)) continue;
            const detail::RuledCell ruled{model.rules, model.coded.columns, column, block.row(i), false};
            if (block.read_first(i, column, false))
              sum += block.log_density(column, own[i], ratios[i], ruled);
            else if (!std::isnan(own[i]))
              sum = kNever;
            if (std::isfinite(sum)) block.learn_of(i, column, own[i]);
          }
        }
      },
      "log_prob");
  return out;
}

}  // namespace synthema
