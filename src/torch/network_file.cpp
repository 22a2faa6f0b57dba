#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/private_file.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/torch/fitted_network.hpp"
#include "src/torch/network_ensemble.hpp"
#include "synthema/privacy/renyi_accountant.hpp"

namespace synthema {

namespace {

using detail::ColumnNetwork;
using detail::kMostMembers;

}  // namespace

std::string AnyOrderNetwork::save() const {
  detail::require_fitted(fitted());
  const Fitted& model = *fitted_;
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"target", options_.target},
                           {"size", options_.size},
                           {"rare_below", options_.rare_below},
                           {"rounds", options_.rounds},
                           {"patience", options_.patience},
                           {"validation", options_.validation},
                           {"members", options_.members},
                           {"rate", options_.rate},
                           {"seed", options_.seed},
                           {"temperature", options_.temperature}};
  if (model.is_private()) {
    const NetworkPrivacy& p = *options_.privacy;
    file.about["privacy"] = {{"epsilon", p.epsilon}, {"delta", p.delta},
                             {"clip", p.clip},       {"sampling_rate", p.sampling_rate},
                             {"steps", p.steps},     {"rows_per_person", p.rows_per_person},
                             {"bins", p.bins},       {"first_share", p.first_share},
                             {"infer", p.infer},     {"pairs_share", p.pairs_share}};
    file.about["private"] = is_private();
    file.about["ledger"] = detail::ArrayJson::parse(to_json(model.ledger));
    file.about["schema"] = detail::ArrayJson::parse(to_json(model.coded.schema));
    detail::put_spending(file, model.spending);
    detail::put_private_columns(file, model.told);
  } else {
    detail::put_codings(file, model.coded);
  }
  detail::put_distances(file, model.distances);
  file.about["order"] = model.order;
  file.about["rounds"] = model.rounds;
  file.about["members"] = model.members;
  // JSON has no NaN: nothing was learnt.
  if (std::isfinite(model.loss)) file.about["validation_loss"] = model.loss;
  for (const std::size_t column : model.order)
    detail::put_counts(file, std::to_string(column) + ".all", model.all[column]);
  file.put("parameters", detail::packed_parameters(ColumnNetwork(model.member), model.members, *model.network,
                                                   model.parameters));
  if (model.is_private()) {
    const std::string digest = file.digest();
    file.about["digest"] = digest;
  }
  return file.file();
}

namespace {

AnyOrderNetworkOptions options_from(const detail::ModelArrays& file) {
  const auto options = file.value<detail::ArrayJson>(file.about, "options");
  AnyOrderNetworkOptions out;
  out.target = file.value<std::string>(options, "target");
  out.size = file.value<std::string>(options, "size");
  out.rare_below = file.value<std::size_t>(options, "rare_below");
  out.rounds = file.value<std::size_t>(options, "rounds");
  out.patience = file.value<std::size_t>(options, "patience");
  out.validation = file.value<double>(options, "validation");
  out.members = file.value<std::size_t>(options, "members");
  out.rate = file.value<double>(options, "rate");
  out.seed = file.value<std::uint64_t>(options, "seed");
  out.temperature = file.value<std::map<std::string, double>>(options, "temperature");
  if (!file.about.contains("privacy")) return out;
  const auto privacy = file.value<detail::ArrayJson>(file.about, "privacy");
  NetworkPrivacy& p = out.privacy.emplace();
  p.epsilon = file.value<double>(privacy, "epsilon");
  p.delta = file.value<double>(privacy, "delta");
  p.clip = file.value<double>(privacy, "clip");
  p.sampling_rate = file.value<double>(privacy, "sampling_rate");
  p.steps = file.value<std::uint64_t>(privacy, "steps");
  p.rows_per_person = file.value<std::size_t>(privacy, "rows_per_person");
  p.bins = file.value<std::size_t>(privacy, "bins");
  p.first_share = file.value<double>(privacy, "first_share");
  p.pairs_share = file.value<double>(privacy, "pairs_share");
  p.infer = file.value<bool>(privacy, "infer");
  return out;
}

void check_order(const detail::ModelArrays& file, const CodedTable& coded,
                 const std::vector<std::size_t>& order) {
  std::vector<bool> seen(coded.columns.size());
  for (const std::size_t column : order) {
    file.require(column < seen.size() && !seen[column] && coded.columns[column].modelled(),
                 "an order of columns that is none");
    seen[column] = true;
  }
  for (std::size_t c = 0; c < seen.size(); ++c) {
    file.require(seen[c] == coded.columns[c].modelled(), "an order that lacks a column");
    file.require(coded.columns[c].is_category() || coded.columns[c].classes < detail::kMostClasses,
                 "a number of too many classes");
  }
}

// Those that a fit has: from a number that is always there.
detail::Distances get_distances(const detail::ModelArrays& file, const CodedTable& coded,
                                const std::vector<std::size_t>& order) {
  detail::Distances out = detail::get_distances(file, coded, order);
  for (const auto& distance : out)
    file.require(!distance || (!coded.columns[distance->from].missing &&
                               distance->coding.classes < detail::kMostClasses),
                 "distances from a number that may be missing");
  return out;
}

// What counts and steps cost, from their noise alone, must be what the ledger says or less.
void check_ledger(const detail::ModelArrays& file, const NetworkPrivacy& privacy, const Ledger& ledger,
                  std::span<const PrivateSpending> spending) {
  const LedgerEntry& entry = detail::only_entry(file, ledger);
  file.require(entry.sampling_rate == privacy.sampling_rate && entry.steps == privacy.steps &&
                   entry.sensitivity == privacy.clip && entry.epsilon == privacy.epsilon &&
                   entry.delta == privacy.delta,
               "a ledger of another fit");
  const double rows = entry.unit.starts_with("row,") ? 1.0 : static_cast<double>(privacy.rows_per_person);
  const auto [rho, delta] = detail::cost_of(file, spending, rows);
  file.require(rho > 0 && rho < 1e12 && delta < entry.delta && entry.noise_multiplier > 0,
               "no measurement in its ledger");
  RenyiAccountant all;
  all.add(GaussianMechanism{1 / std::sqrt(2 * rho)});
  all.add(GaussianMechanism{entry.noise_multiplier, entry.sampling_rate}, entry.steps);
  file.require(all.epsilon(entry.delta - delta).epsilon <= entry.epsilon * (1 + 1e-6),
               "more was spent than its ledger says");
}

// States of a private column, each once, with positive counts.
OwnedCounts get_state_counts(const detail::ModelArrays& file, std::size_t column, const PrivateColumn& told) {
  const std::string name = std::to_string(column) + ".all";
  ColumnCoding states;
  states.form = CodingForm::category;
  states.labels.resize(told.states);
  OwnedCounts out = detail::get_counts(file, name, states);
  file.require(out.codes.size() == told.states, "counts of other states than a column has");
  return out;
}

}  // namespace

AnyOrderNetwork AnyOrderNetwork::load(std::string_view bytes, const std::string& path) {
  detail::ModelArrays file(bytes, path, "any_order_network");
  auto made = std::make_unique<Fitted>();
  std::optional<AnyOrderNetwork> out;
  try {
    out.emplace(options_from(file));
    if (out->options_.privacy) {
      const auto digest = file.value<std::string>(file.about, "digest");
      file.about.erase("digest");
      file.require(file.digest() == digest, "it was changed after it was saved");
      made->coded.schema = schema_from_json(file.value<detail::ArrayJson>(file.about, "schema").dump());
      made->told = detail::get_private_columns(file, made->coded.schema);
      made->coded.columns = codings_of(made->told);
      made->ledger = ledger_from_json(file.value<detail::ArrayJson>(file.about, "ledger").dump());
      made->spending = detail::get_spending(file);
      check_ledger(file, *out->options_.privacy, made->ledger, made->spending);
    } else {
      made->coded = detail::get_codings(file);
    }
  } catch (const ModelError&) {
    throw;
  } catch (const Error& error) {
    file.fail(error.what());
  }
  made->order = file.value<std::vector<std::size_t>>(file.about, "order");
  check_order(file, made->coded, made->order);
  if (!made->is_private()) made->distances = get_distances(file, made->coded, made->order);
  made->all.resize(made->coded.columns.size());
  for (const std::size_t column : made->order) {
    if (made->is_private()) {
      const PrivateColumn& told = made->told[column];
      file.require(told.coding.is_category() || told.states <= detail::kMostClasses,
                   "a number of too many classes");
      made->all[column] = get_state_counts(file, column, told);
    } else {
      made->all[column] =
          detail::get_counts(file, std::to_string(column) + ".all", made->coded.columns[column]);
    }
  }
  made->rounds = file.value<std::size_t>(file.about, "rounds");
  made->members = file.value<std::size_t>(file.about, "members");
  file.require(made->members >= 1 && made->members <= kMostMembers, "a number of networks that is none");
  if (file.about.contains("validation_loss")) made->loss = file.value<double>(file.about, "validation_loss");
  try {
    made->arrange(out->options_);
    made->rules = detail::loaded_rules(file, made->coded);
  } catch (const ModelError&) {
    throw;
  } catch (const Error&) {
    file.fail("The options of the model are none.");
  }
  const std::vector<float> parameters = file.get<float>("parameters");
  const ColumnNetwork member(made->member);
  file.require(parameters.size() == made->members * member.parameters(), "a network of another shape");
  made->parameters = detail::unpacked_parameters(member, made->members, *made->network, parameters);
  file.require(std::ranges::all_of(made->parameters, [](float x) { return std::isfinite(x); }),
               "parameters that are no numbers");
  out->fitted_ = std::move(made);
  return std::move(*out);
}

}  // namespace synthema
