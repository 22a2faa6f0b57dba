#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "src/torch/fitted_network.hpp"
#include "src/torch/mapped_memory.hpp"
#include "src/torch/network_ensemble.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

using detail::ColumnClasses;
using detail::ColumnNetwork;

constexpr std::uint64_t kValidationStream = 3;  // of a fit
constexpr std::size_t kMostParameters = 16'000'000;
constexpr double kRate = 2e-3;
constexpr std::size_t kRowsOfBlock = std::size_t{1} << 16;  // that one thread codes
constexpr std::size_t kLeastClasses = 8, kMostNumberClasses = 128, kRowsOfClass = 20;
constexpr std::size_t kFewPeople = 2000, kMembersOfFew = 5;

// Half the width and heads until a wide table's network fits.
detail::NetworkShape shape_of(std::vector<std::size_t> classes, const std::string& name,
                              std::size_t members) {
  const detail::NetworkSize& size =
      *std::ranges::find(detail::kNetworkSizes, name, &detail::NetworkSize::name);
  detail::NetworkShape shape{std::move(classes), size.width, size.head};
  while (shape.width > 32 && members * ColumnNetwork(shape).parameters() > kMostParameters) {
    shape.width /= 2;
    shape.head = std::max<std::size_t>(shape.head / 2, 16);
  }
  return shape;
}

}  // namespace

namespace detail {

std::vector<std::size_t> order_of(const CodedTable& coded, const RowRules& rules, const std::string& target,
                                  bool target_last) {
  std::vector<std::size_t> out;
  const auto index = [&](const std::string& name) {
    return static_cast<std::size_t>(&coded.schema.at(name) - coded.schema.fields.data());
  };
  const auto add = [&](std::size_t column) {
    if (std::ranges::find(out, column) == out.end() && coded.columns[column].modelled())
      out.push_back(column);
  };
  if (!target.empty()) add(index(target));
  if (target.empty())
    for (const Field* field : coded.schema.with_role(Role::target)) add(index(field->name));
  const auto targets = static_cast<std::ptrdiff_t>(out.size());
  for (std::size_t c = 0; c < coded.columns.size(); ++c) add(c);
  if (target_last) std::rotate(out.begin(), out.begin() + targets, out.end());
  return rules.ordered(out);
}

ClassColumns class_columns(const CodedTable& coded, const std::vector<ColumnClasses>& classes,
                           std::size_t threads) {
  std::vector<std::pair<std::size_t, std::size_t>> variables;  // column, variable of it
  for (std::size_t c = 0; c < coded.columns.size(); ++c)
    for (std::size_t v = 0; v < classes[c].variables(); ++v) variables.emplace_back(c, v);
  ClassColumns out(variables.size());
  parallel_for(
      variables.size(),
      [&](std::size_t i) {
        const auto [column, variable] = variables[i];
        for (const std::uint32_t code : coded.codes[column])
          out[i].push_back(classes[column].of_code(code)[variable]);
      },
      threads);
  return out;
}

void refuse_network_keys() {
  throw GenerationError(
      {.field = "groups"},
      "The network does not keep keys (groups 'unique'), because it draws many rows at once; "
      "take SequentialTrees, or leave these groups out.");
}

}  // namespace detail

namespace {

// Networks that learn and are joined, each from other people.
std::size_t members_of(const AnyOrderNetworkOptions& options, const CodedTable& coded) {
  if (options.members > 0) return options.members;
  std::size_t people = 0;
  for (std::uint32_t row = 0; row < coded.rows; ++row) people += coded.people[row] == row;
  return people < kFewPeople ? kMembersOfFew : 1;
}

// The people that a member of several sets aside are a part of their own; those that a single network does,
// at least about 50 where the table is small.
void split_people(const CodedTable& coded, const AnyOrderNetworkOptions& options, std::size_t member,
                  std::size_t members, detail::TrainingTable& table) {
  const double least = std::min(0.3, 50.0 / static_cast<double>(coded.rows));
  const auto parts = static_cast<double>(members);
  const double share = members > 1 ? 1 / parts : std::max(options.validation, least);
  const double from = members > 1 ? static_cast<double>(member) / parts : 0;
  const Random random = Random(options.seed).stream(kValidationStream);
  table.learnt.clear();
  table.checked.clear();
  for (std::uint32_t row = 0; row < coded.rows; ++row) {
    Random own = random.stream(coded.people[row]);
    const double place = own.uniform();
    (place >= from && place < from + share ? table.checked : table.learnt).push_back(row);
  }
  if (table.learnt.empty()) table.learnt = table.checked;
  if (table.checked.empty()) table.checked = table.learnt;
}

detail::TrainingOptions training_of(const AnyOrderNetworkOptions& options, std::size_t rows,
                                    std::size_t parameters, std::size_t variables, std::size_t width) {
  detail::TrainingOptions out;
  out.rounds = options.rounds;
  out.patience = options.patience;
  out.rate = options.rate > 0 ? options.rate : kRate;
  out.threads = options.threads;
  out.batch = std::clamp<std::size_t>(std::bit_floor(std::max<std::size_t>(rows, 64) / 64), 32, 512);
  out.chunk = std::max<std::size_t>(32, out.batch / 4);
  // A chunk's contexts, and a gradient for each chunk of a batch, must fit the memory.
  while (out.chunk > 16 && out.chunk * variables * width > std::size_t{1} << 25) out.chunk /= 2;
  while (out.batch > out.chunk && (out.batch / out.chunk) * parameters > std::size_t{1} << 26) out.batch /= 2;
  return out;
}

bool has_order(const Schema& schema, const std::string& name) {
  return std::ranges::any_of(schema.rules, [&](const FieldRule& rule) {
    return !rule.relation.empty() && (rule.field == name || rule.given == name);
  });
}

CodingOptions coding_of(const AnyOrderNetworkOptions& options, std::size_t rows) {
  return {.rare_below = options.rare_below,
          .classes = std::clamp(rows / kRowsOfClass, kLeastClasses, kMostNumberClasses),
          .threads = options.threads};
}

}  // namespace

// What follows from the coding, the counts and the order.
void AnyOrderNetwork::Fitted::arrange(const AnyOrderNetworkOptions& options) {
  classes.resize(coded.columns.size());
  first.resize(coded.columns.size());
  measured.assign(coded.columns.size(), {});
  distances.resize(coded.columns.size());
  for (const std::size_t column : order)
    if (distances[column]) measured[distances[column]->from].push_back(column);
  temperature.assign(coded.columns.size(), 1.0);
  std::vector<std::size_t> sizes;
  for (std::size_t c = 0; c < coded.columns.size(); ++c) {
    if (!coded.columns[c].modelled()) continue;
    classes[c] = classes_of(c);
    first[c] = sizes.size();
    for (std::size_t v = 0; v < classes[c].variables(); ++v) sizes.push_back(classes[c].classes(v));
  }
  for (const auto& [name, value] : options.temperature)
    temperature[static_cast<std::size_t>(&coded.schema.at(name) - coded.schema.fields.data())] = value;
  member = shape_of(std::move(sizes), options.size, members);
  network.emplace(detail::joined_shape(member, members));
  threads = options.threads;
}

detail::ArrangedRows AnyOrderNetwork::Fitted::arranged(const detail::ClassColumns& rows) const {
  detail::ArrangedRows out{
      {.classes = rows, .groups = {}, .order = {}, .ordered = {}, .last = {}, .learnt = {}, .checked = {}},
      {}};
  out.shares.resize(network->variables());
  out.table.ordered.resize(network->variables());
  for (const std::size_t column : order) {
    auto& group = out.table.groups.emplace_back();
    out.table.order.push_back(static_cast<std::uint32_t>(out.table.groups.size() - 1));
    for (std::size_t v = 0; v < classes[column].variables(); ++v) {
      const std::size_t variable = first[column] + v;
      group.push_back(static_cast<std::uint32_t>(variable));
      out.shares[variable] = classes[column].shares(v);
      out.table.ordered[variable] = is_ordered(column);
    }
  }
  return out;
}

std::vector<std::uint32_t> AnyOrderNetwork::Fitted::variables_of(const std::string& target) const {
  std::vector<std::uint32_t> out;
  for (const std::size_t column : order) {
    const Field& field = coded.schema.fields[column];
    if (target.empty() ? std::ranges::find(field.roles, Role::target) == field.roles.end()
                       : field.name != target)
      continue;
    for (std::size_t v = 0; v < classes[column].variables(); ++v)
      out.push_back(static_cast<std::uint32_t>(first[column] + v));
  }
  return out;
}

// One network after the other. A cancelled fit keeps what has learnt a round.
void AnyOrderNetwork::Fitted::learn(const AnyOrderNetworkOptions& options, const detail::ClassColumns& rows,
                                    const ProgressSink& progress, const CancelToken& cancel) {
  coded.codes.clear();
  auto [table, shares] = arranged(rows);
  if (members > 1) table.last = variables_of(options.target);
  const Random random(options.seed);
  const ColumnNetwork one(member);
  std::vector<detail::Floats> learnt;
  double losses = 0;
  for (std::size_t m = 0; m < members && !cancel.cancelled(); ++m) {
    const auto own = [&](std::uint64_t stream) {
      return members > 1 ? random.stream(stream).stream(m) : random.stream(stream);
    };
    split_people(coded, options, m, members, table);
    detail::Floats initial(one.parameters());
    one.initialise(initial, shares, table.ordered, own(detail::kInitialStream));
    const detail::TrainingOptions how =
        training_of(options, table.learnt.size(), one.parameters(), one.variables(), one.shape().width);
    const auto tell = [&](Progress step) {
      step.done += m * options.rounds;
      step.total = members * options.rounds;
      progress(step);
    };
    try {
      detail::Trained trained =
          detail::train(one, table, how, std::move(initial), own(detail::kTrainingStream),
                        progress ? ProgressSink(tell) : ProgressSink(), cancel);
      learnt.push_back(std::move(trained.parameters));
      losses += trained.loss;
      rounds = std::max(rounds, trained.rounds);
    } catch (const Cancelled&) {
      if (learnt.empty()) throw;
    }
  }
  if (learnt.empty()) cancel.check();
  loss = losses / static_cast<double>(learnt.size());
  for (const std::size_t there = learnt.size(); learnt.size() < members;)  // the same ones stand in
    learnt.push_back(learnt[learnt.size() - there]);
  parameters = detail::joined_parameters(one, learnt, *network);
}

void AnyOrderNetwork::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  for (const auto& [name, value] : options_.temperature) static_cast<void>(real.schema().at(name));
  if (!options_.target.empty()) static_cast<void>(real.schema().at(options_.target));
  if (options_.privacy) {
    NoiseSource noise = NoiseSource::operating_system();
    return fit(real, noise, progress, cancel);
  }
  auto made = std::make_unique<Fitted>();
  made->coded = code_table(real, coding_of(options_, real.rows()));
  CodedTable& coded = made->coded;
  made->all.resize(coded.columns.size());
  for (std::size_t c = 0; c < coded.columns.size(); ++c)
    if (coded.columns[c].modelled()) made->all[c] = count_codes(coded.columns[c], coded.codes[c]);
  made->arrange_coded(options_);
  if (made->network->variables() > 0)
    made->learn(options_, detail::class_columns(coded, made->classes, options_.threads), progress, cancel);
  coded.codes.clear();
  coded.people.clear();
  fitted_ = std::move(made);
}

void AnyOrderNetwork::fit(const ColumnSource& source, const std::string& spill, const ProgressSink& progress,
                          const CancelToken& cancel) {
  for (const auto& [name, value] : options_.temperature) static_cast<void>(source.schema.at(name));
  if (!options_.target.empty()) static_cast<void>(source.schema.at(options_.target));
  if (options_.privacy)
    throw ConfigError({.field = "epsilon"},
                      "A private fit needs the table as a whole; give it as a table, not as a source.");
  std::optional<detail::MappedMemory> disk;
  if (!spill.empty()) disk.emplace(spill);
  auto made = std::make_unique<Fitted>();
  made->all.resize(source.schema.fields.size());
  detail::ClassColumns rows;
  std::vector<std::vector<std::uint32_t>> ordered(made->all.size());  // codes of columns that rules order
  const std::size_t columns = source.schema.fields.size();
  const auto take = [&](const CodedTable& coded, std::size_t column) {
    cancel.check();
    if (progress) progress({.phase = "read", .done = column + 1, .total = columns, .note = {}});
    const ColumnCoding& coding = coded.columns[column];
    if (!coding.modelled()) return;
    made->all[column] = count_codes(coding, coded.codes[column]);
    if (has_order(source.schema, coding.field.name)) ordered[column] = coded.codes[column];
    const ColumnClasses classes(coding, made->all[column]);
    const std::size_t first = rows.size();
    std::pmr::memory_resource* const memory = disk ? &*disk : std::pmr::new_delete_resource();
    for (std::size_t v = 0; v < classes.variables(); ++v) {
      std::pmr::vector<std::uint8_t>& own = rows.emplace_back(memory);
      own.resize(coded.rows);
      parallel_for((coded.rows + kRowsOfBlock - 1) / kRowsOfBlock,
                   [&](std::size_t block) {
                     const std::size_t end = std::min(coded.rows, (block + 1) * kRowsOfBlock);
                     for (std::size_t row = block * kRowsOfBlock; row < end; ++row)
                       own[row] = classes.of_code(coded.codes[column][row])[v];
                   },
                   options_.threads);
    }
    for (std::size_t v = first; disk && v < rows.size(); ++v) disk->put_away(rows[v].data(), rows[v].size());
  };
  made->coded = code_columns(source, coding_of(options_, source.rows), take);
  for (std::size_t c = 0; c < ordered.size(); ++c)
    if (made->coded.codes[c].empty()) made->coded.codes[c] = std::move(ordered[c]);
  made->arrange_coded(options_);
  for (const std::size_t c : made->order)
    if (made->distances[c])
      std::ranges::transform(made->coded.codes[c], rows[made->first[c]].begin(),
                             [&](std::uint32_t code) { return made->classes[c].of_code(code)[0]; });
  if (made->network->variables() > 0) made->learn(options_, rows, progress, cancel);
  made->coded.codes.clear();
  made->coded.people.clear();
  fitted_ = std::move(made);
}

void AnyOrderNetwork::Fitted::arrange_coded(const AnyOrderNetworkOptions& options) {
  rules = RowRules(coded.schema, coded.columns);
  if (!rules.keys().empty()) detail::refuse_network_keys();
  members = members_of(options, coded);
  order = detail::order_of(coded, rules, options.target, members > 1);
  measure(coding_of(options, coded.rows));
  arrange(options);
}

}  // namespace synthema
