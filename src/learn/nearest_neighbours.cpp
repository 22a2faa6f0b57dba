#include "synthema/learn/nearest_neighbours.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "src/cpu/distance_bounds.hpp"
#include "src/learn/row_blocks.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

using cpu::BoundOf;
using cpu::kBoundLanes;
using cpu::kMissingCode;
using detail::Bytes;
using detail::Forms;
using detail::kScale;
using detail::kUnit;
using detail::PairSum;
using detail::RowBlocks;

constexpr std::size_t kMostShift = 6;  // of the differences that are summed in a byte
constexpr std::size_t kQueriesAtOnce = 128;
constexpr std::size_t kBlocksAlone = 8;  // that a query visits before it waits for others
constexpr std::size_t kFewRows = 12;     // of a block: bounded one by one at once
constexpr std::size_t kBlocksInGroup = cpu::kLabelLanes / kBoundLanes;
static_assert(kBlocksInGroup == 4);
constexpr std::size_t kGroupsFirst = 16;  // that are visited in the order of their bounds

// The smallest of what was offered, sorted.
class Nearest {
 public:
  explicit Nearest(std::size_t wanted) : kept_(wanted) {}
  void clear() { std::fill(kept_.begin(), kept_.end(), Neighbour{}); }
  double worst() const { return kept_.back().distance; }
  void offer(Neighbour one) {
    if (!(one < kept_.back())) return;
    auto at = std::upper_bound(kept_.begin(), kept_.end(), one);
    std::move_backward(at, kept_.end() - 1, kept_.end());
    *at = one;
  }
  const std::vector<Neighbour>& kept() const { return kept_; }

 private:
  std::vector<Neighbour> kept_;
};

// What a query is compared by, and what was found for it so far. Distances are sums over columns.
struct Asked {
  std::size_t query = 0;
  double bound = 0;  // as many different rows as neighbours are wanted lie within it
  Nearest nearest;
  std::vector<BoundOf> kinds;               // columns in byte order
  Bytes codes;                              // columns in byte order
  Bytes row_codes, numbers, labels;         // as cpu::RowBoundQuery wants them
  std::vector<std::uint32_t> label_places;  // as cpu::LabelQuery wants them, once it waits for others

  Asked(std::size_t neighbours, std::size_t columns)
      : nearest(neighbours),
        kinds(columns),
        codes(columns),
        row_codes((columns + cpu::kRowBytes - 1) / cpu::kRowBytes * cpu::kRowBytes),
        numbers(row_codes.size()),
        labels(row_codes.size()) {}
  double limit() const { return std::min(bound, nearest.worst()); }
};

// Looks for the neighbours of queries that lie close together, some at a time. Each visits the few blocks
// that are nearest to it, which is all where rows cluster; what is left then is visited block by block for
// all of them, so that a block is read from memory once.
class Search {
 public:
  // `at_once`: queries that may wait for each other.
  Search(const RowBlocks& among, const Forms& forms, const RowBlocks& queries, const SearchOptions& options,
         std::size_t at_once = kQueriesAtOnce)
      : among_(among),
        forms_(forms),
        queries_(queries),
        sum_(queries, among),
        options_(options),
        kernels_(cpu::distance_bound_kernels()),
        asked_(at_once, Asked(std::max<std::size_t>(options.neighbours, 1), among.columns.size())),
        bounds_((among.blocks() + kBoundLanes - 1) / kBoundLanes * kBoundLanes),
        to_visit_(at_once * bounds_.size()),
        nearest_in_(at_once * groups()) {}

  // visit(query, neighbours) for the queries at positions `first` to `end`, `at_once` at most.
  template <class Visit>
  void each(std::size_t first, std::size_t end, const Visit& visit) {
    waiting_.clear();
    for (std::size_t query = first; query < end; ++query) search_nearby(query - first, query);
    if (!waiting_.empty()) search_together();
    for (std::size_t query = first; query < end; ++query) visit(query, asked_[query - first].nearest.kept());
  }

  // visit(position, distance) for each row that is no farther from the query than `radius`, a mean over
  // columns.
  template <class Visit>
  void within(std::size_t query, double radius, const Visit& visit) {
    const auto columns = static_cast<double>(among_.columns.size());
    Asked& asked = asked_.front();
    begin(asked, query);
    const double limit = radius * columns * (1 + 1e-9);
    const std::size_t shift = shift_for(limit);
    bound_boxes(asked, shift);
    const std::uint8_t most = limit_at(limit, shift);
    for (std::size_t block = 0; block < among_.blocks(); ++block) {
      if (bounds_[block] > most) continue;
      find_near(asked, block, limit);
      for (const auto& [bound, position] : near_) {
        if (excluded(query, position)) continue;
        // The quotient is what nearest_to() gives: equal distances must compare equal.
        const double distance = sum_(query, position, limit) / columns;
        if (distance <= radius) visit(position, distance);
      }
    }
  }

 private:
  // A query with blocks still to visit: the limit in codes, shifted as the bounds of its boxes.
  struct Waiting {
    std::size_t place = 0, shift = 0;
    std::uint8_t limit = 0;
  };
  static constexpr std::uint8_t kVisited = 255;
  struct Found {
    std::uint32_t waiting, block;
    std::array<std::uint64_t, 2> rows;
  };

  void begin(Asked& asked, std::size_t query) {
    asked.query = query;
    asked.nearest.clear();
    const std::size_t columns = among_.columns.size();
    const std::uint8_t* codes = queries_.codes.data() + query * columns;
    std::copy_n(codes, columns, asked.row_codes.begin());
    for (std::size_t k = 0; k < columns; ++k) {
      const std::size_t c = among_.byte_order[k];
      const bool label = !among_.columns[c].number || codes[c] == kMissingCode;
      asked.kinds[k] = label                   ? BoundOf::label
                       : among_.has_missing[c] ? BoundOf::number_or_missing
                                               : BoundOf::number;
      asked.codes[k] = codes[c];
      asked.numbers[c] = label ? 0 : 255;
      asked.labels[c] = label ? kUnit : 0;
    }
    asked.bound = bound_from_recent(query);
  }

  bool excluded(std::size_t query, std::size_t position) const {
    return options_.other_owners && among_.owners[position] == queries_.owners[query];
  }

  // As many different rows as neighbours are wanted lie within this distance.
  double bound_from_recent(std::size_t query) {
    std::vector<double>& found = recent_distances_;
    found.clear();
    if (recent_.empty()) return std::numeric_limits<double>::infinity();
    for (const std::uint32_t position : recent_)
      if (!excluded(query, position))
        found.push_back(sum_(query, position, std::numeric_limits<double>::infinity()));
    if (found.size() < options_.neighbours) return std::numeric_limits<double>::infinity();
    const auto last = found.begin() + static_cast<std::ptrdiff_t>(options_.neighbours - 1);
    std::nth_element(found.begin(), last, found.end());
    return *last;
  }

  void remember(const Asked& asked) {
    std::vector<std::uint32_t>& now = spare_;
    now.clear();
    for (const Neighbour& one : asked.nearest.kept())
      if (std::isfinite(one.distance)) now.push_back(among_.position[one.row]);
    for (const std::uint32_t position : recent_)
      if (now.size() < 2 * options_.neighbours + 2 &&
          std::find(now.begin(), now.end(), position) == now.end())
        now.push_back(position);
    std::swap(recent_, now);
  }

  // In codes, shifted. Rounded up by more than the codes' own rounding; 255: everything is within.
  static double in_codes(double limit, std::size_t shift) {
    return limit * (kScale / static_cast<double>(1U << shift)) * (1 + 1e-9) + 1e-6;
  }
  static std::uint8_t limit_at(double limit, std::size_t shift) {
    const double codes = in_codes(limit, shift);
    return codes < 255 ? static_cast<std::uint8_t>(codes) : std::uint8_t{255};
  }
  // The least shift by which the limit is well below where sums saturate.
  static std::size_t shift_for(double limit) {
    std::size_t shift = 0;
    while (shift < kMostShift && limit_at(limit, shift) > 250) ++shift;
    return shift;
  }

  static cpu::BoundQuery query_at(const Asked& asked, std::size_t shift) {
    return {asked.codes.data(), asked.kinds.data(), asked.kinds.size(),
            static_cast<std::uint8_t>(kUnit >> shift), static_cast<std::uint8_t>(shift)};
  }

  void bound_boxes(Asked& asked, std::size_t shift) {
    const RowBlocks::Boxes& boxes = forms_.boxes();
    const cpu::BoundQuery query = query_at(asked, shift);
    for (std::size_t first = 0; first < among_.blocks(); first += kBoundLanes)
      kernels_.box_bounds(query, boxes.low.data() + first * among_.columns.size(),
                          boxes.high.data() + first * among_.columns.size(), bounds_.data() + first);
  }

  // The nearest blocks within the limit by their boxes, kBlocksAlone at most, the nearest first.
  void find_candidates(std::uint8_t limit) {
    candidates_.clear();
    for (std::uint32_t block = 0; block < among_.blocks(); ++block) {
      if (bounds_[block] > limit) continue;
      const std::pair one(bounds_[block], block);
      candidates_.insert(std::upper_bound(candidates_.begin(), candidates_.end(), one), one);
      if (candidates_.size() <= kBlocksAlone) continue;
      candidates_.pop_back();
      // From here on only what is nearer than the last one, whose number is lower than those to come.
      if (candidates_.back().first == 0) return;
      limit = std::min<std::uint8_t>(limit, candidates_.back().first - 1);
    }
  }

  void search_nearby(std::size_t place, std::size_t query) {
    Asked& asked = asked_[place];
    begin(asked, query);
    const std::size_t shift = shift_for(asked.limit());
    bound_boxes(asked, shift);
    find_candidates(limit_at(asked.limit(), shift));
    std::size_t next = 0;
    while (next < candidates_.size() && candidates_[next].first <= limit_at(asked.limit(), shift))
      scan(asked, candidates_[next++].second);
    remember(asked);
    // Where it stopped before the last, all others are too far away.
    if (next == kBlocksAlone) put_off(place, shift);
  }

  void put_off(std::size_t place, std::size_t shift) {
    std::uint8_t* to_visit = to_visit_.data() + waiting_.size() * bounds_.size();
    std::fill_n(to_visit, bounds_.size(), kVisited);
    for (std::size_t block = 0; block < among_.blocks(); ++block)
      to_visit[block] = std::min<std::uint8_t>(bounds_[block], kVisited - 1);
    for (const auto& [bound, block] : candidates_) to_visit[block] = kVisited;
    const std::uint8_t limit = std::min<std::uint8_t>(limit_at(asked_[place].limit(), shift), kVisited - 1);
    std::uint8_t* nearest = nearest_in_.data() + waiting_.size() * groups();
    std::uint8_t least = kVisited;
    for (std::size_t group = 0; group < groups(); ++group) {
      const std::uint8_t* four = to_visit + group * kBlocksInGroup;
      nearest[group] = std::min(std::min(four[0], four[1]), std::min(four[2], four[3]));
      least = std::min(least, nearest[group]);
    }
    if (least > limit) return;
    waiting_.push_back({place, shift, limit});
    find_label_places(asked_[place]);
  }

  void find_label_places(Asked& asked) {
    const RowBlocks::Labels& labels = forms_.labels();
    asked.label_places.clear();
    for (std::size_t k = 0; k < labels.columns.size(); ++k) {
      const std::size_t end = k + 1 < labels.first.size() ? labels.first[k + 1] : labels.values - 1;
      const std::size_t place = labels.first[k] + detail::value_of(asked.row_codes[labels.columns[k]]);
      asked.label_places.push_back(static_cast<std::uint32_t>(std::min(place, end - 1)));
    }
    while (asked.label_places.size() % 8 != 0)
      asked.label_places.push_back(static_cast<std::uint32_t>(labels.values - 1));
  }

  // All blocks that any of them has to visit: first the groups that are nearest to one of them, then the
  // others as they lie in memory.
  void search_together() {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
    for (std::size_t group = 0; group < groups(); ++group) {
      std::uint32_t nearest = kFar;
      for (std::size_t i = 0; i < waiting_.size(); ++i)
        if (const std::uint8_t bound = nearest_in_[i * groups() + group]; bound <= waiting_[i].limit)
          nearest = std::min(nearest, std::uint32_t{bound} << waiting_[i].shift);
      if (nearest != kFar) order.emplace_back(nearest, group);
    }
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(std::min(kGroupsFirst, order.size()));
    std::partial_sort(order.begin(), first, order.end());
    std::sort(first, order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    for (const auto& [bound, group] : order) {
      found_.clear();
      for (std::size_t i = 0; i < waiting_.size(); ++i)
        if (nearest_in_[i * groups() + group] <= waiting_[i].limit) compare_labels(i, group);
      for (const Found& found : found_) {  // their rows are on the way from memory by now
        Waiting& one = waiting_[found.waiting];
        if (to_visit_[found.waiting * bounds_.size() + found.block] > one.limit) continue;
        Asked& asked = asked_[one.place];
        scan(asked, found.block, found.rows);
        one.limit = std::min<std::uint8_t>(limit_at(asked.limit(), one.shift), kVisited - 1);
      }
    }
  }

  // Puts the rows of a group that enough labels are equal of into `found_`.
  void compare_labels(std::size_t waiting, std::size_t group) {
    const Waiting& one = waiting_[waiting];
    const Asked& asked = asked_[one.place];
    const RowBlocks::Labels& labels = forms_.labels();
    const double most = asked.limit() * (1 + 1e-9) + 1e-6;  // infinite until enough rows were found
    cpu::LabelBits bits;  // NOLINT(cppcoreguidelines-pro-type-member-init): set next
    if (most < static_cast<double>(labels.columns.size()))
      bits = kernels_.alike_rows({asked.label_places.data(), asked.label_places.size()},
                                 labels.different.data() + group * labels.values * bits.size(),
                                 static_cast<std::size_t>(most));
    else
      bits.fill(~std::uint64_t{0});
    const std::uint8_t* bounds = to_visit_.data() + waiting * bounds_.size();
    for (std::size_t i = 0; i < kBlocksInGroup; ++i) {
      const std::size_t block = group * kBlocksInGroup + i;
      const std::array<std::uint64_t, 2> rows{bits[2 * i], bits[2 * i + 1]};
      if ((rows[0] | rows[1]) == 0 || bounds[block] > one.limit) continue;
      found_.push_back({static_cast<std::uint32_t>(waiting), static_cast<std::uint32_t>(block), rows});
      fetch(block, rows);
    }
  }

  void fetch(std::size_t block, std::array<std::uint64_t, 2> rows) const {
    if (count(rows) > kFewRows) return;
    const std::size_t columns = among_.columns.size();
    for (std::size_t half = 0; half < rows.size(); ++half)
      for (; rows[half] != 0; rows[half] &= rows[half] - 1) {
        const std::size_t row =
            block * kBoundLanes + half * 64 + static_cast<std::size_t>(std::countr_zero(rows[half]));
        if (row >= among_.rows) return;
        __builtin_prefetch(among_.codes.data() + row * columns);
        __builtin_prefetch(among_.codes.data() + (row + 1) * columns - 1);
      }
  }
  static std::size_t count(const std::array<std::uint64_t, 2>& rows) {
    return static_cast<std::size_t>(std::popcount(rows[0])) +
           static_cast<std::size_t>(std::popcount(rows[1]));
  }
  std::size_t groups() const { return bounds_.size() / kBlocksInGroup; }

  // Puts those of the rows of a block whose bounds are within the limit into `near_`, bound and position.
  void find_near(Asked& asked, std::size_t block, double limit, std::array<std::uint64_t, 2> within = kAll) {
    const std::size_t columns = among_.columns.size();
    if (count(within) > kFewRows && std::isfinite(limit)) {
      const std::size_t shift = shift_for(limit);
      const std::uint8_t* codes = forms_.cells().codes.data() + block * columns * kBoundLanes;
      const auto found = kernels_.rows_within(query_at(asked, shift), codes, limit_at(limit, shift));
      for (std::size_t half = 0; half < within.size(); ++half) within[half] &= found[half];
    }
    const cpu::RowBoundQuery row{asked.row_codes.data(), asked.numbers.data(), asked.labels.data(),
                                 asked.row_codes.size(), kUnit};
    const std::uint32_t most = in_sums(limit);
    near_.clear();
    for (std::size_t half = 0; half < within.size(); ++half) {
      const std::size_t begin = block * kBoundLanes + half * 64;
      if (begin >= among_.rows) return;
      std::uint64_t bits = within[half];
      if (const std::size_t rows = among_.rows - begin; rows < 64) bits &= (std::uint64_t{1} << rows) - 1;
      if (bits == 0) continue;
      std::array<std::uint32_t, 64> bounds;  // NOLINT(cppcoreguidelines-pro-type-member-init): written next
      kernels_.row_bounds(row, among_.codes.data() + begin * columns, columns, bits, bounds.data());
      for (std::size_t i = 0; bits != 0; bits &= bits - 1, ++i)
        if (bounds[i] <= most)
          near_.emplace_back(bounds[i], static_cast<std::uint32_t>(begin) +
                                            static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
  }
  static std::uint32_t in_sums(double limit) {  // of codes, which do not saturate
    return static_cast<std::uint32_t>(std::min(in_codes(limit, 0), 4e9));
  }

  // Measures the rows of a block that may be neighbours, those of the least bound first.
  void scan(Asked& asked, std::size_t block, std::array<std::uint64_t, 2> within = kAll) {
    find_near(asked, block, asked.limit(), within);
    std::sort(near_.begin(), near_.end());
    for (const auto& [bound, position] : near_) {
      if (bound > in_sums(asked.limit())) return;
      if (excluded(asked.query, position)) continue;
      const double distance = sum_(asked.query, position, asked.limit());
      if (distance <= asked.limit()) asked.nearest.offer({distance, among_.order[position]});
    }
  }

  static constexpr std::array<std::uint64_t, 2> kAll = {~std::uint64_t{0}, ~std::uint64_t{0}};
  static constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max();

  const RowBlocks& among_;
  const Forms& forms_;
  const RowBlocks& queries_;
  const PairSum sum_;
  const SearchOptions& options_;
  const cpu::DistanceBoundKernels& kernels_;
  std::vector<Asked> asked_;
  std::vector<std::uint32_t> recent_, spare_;  // positions found by the queries before
  std::vector<double> recent_distances_;
  Bytes bounds_;                                                    // by block
  std::vector<std::pair<std::uint8_t, std::uint32_t>> candidates_;  // bound, block
  std::vector<std::pair<std::uint32_t, std::uint32_t>> near_;       // bound in codes, position
  std::vector<Waiting> waiting_;
  Bytes to_visit_;    // {at_once, bounds_.size()}: bounds of waiting queries, or kVisited
  Bytes nearest_in_;  // {at_once, groups()}: the least of each group
  std::vector<Found> found_;
};

// body(begin, end) for parts of the queries that are whole tiles, several where there are many.
template <class Body>
void for_tiles(std::size_t queries, const SearchOptions& options, const Body& body) {
  const std::size_t tiles = (queries + kQueriesAtOnce - 1) / kQueriesAtOnce;
  const std::size_t each = std::clamp<std::size_t>(tiles / (16 * thread_count(options.threads)), 1, 8);
  parallel_for((tiles + each - 1) / each,
               [&](std::size_t i) {
                 body(i * each * kQueriesAtOnce, std::min(queries, (i + 1) * each * kQueriesAtOnce));
               },
               options.threads);
}

}  // namespace

struct NeighbourIndex::Impl {
  RowBlocks blocks;
};

NeighbourIndex::NeighbourIndex(const MixedSpace& space, MixedRows rows, std::vector<std::uint32_t> owners)
    : impl_(new Impl{RowBlocks(space, std::move(rows), std::move(owners))}) {}
NeighbourIndex::~NeighbourIndex() = default;
NeighbourIndex::NeighbourIndex(NeighbourIndex&&) noexcept = default;
NeighbourIndex& NeighbourIndex::operator=(NeighbourIndex&&) noexcept = default;

NeighbourIndex::NeighbourIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

NeighbourIndex NeighbourIndex::part(std::span<const std::size_t> rows) const {
  const RowBlocks& whole = impl_->blocks;
  const auto row = [&](std::size_t i) { return RowBlocks::Place{&whole, whole.position.at(rows[i])}; };
  return NeighbourIndex(std::unique_ptr<Impl>(new Impl{RowBlocks(whole, rows.size(), row)}));
}

NeighbourIndex NeighbourIndex::of(std::span<const RowOf> rows) {
  if (rows.empty()) throw ConfigError("An index of rows of others needs a row.");
  const auto row = [&](std::size_t i) {
    const RowBlocks& from = rows[i].index->impl_->blocks;
    return RowBlocks::Place{&from, from.position.at(rows[i].row)};
  };
  return NeighbourIndex(std::unique_ptr<Impl>(new Impl{RowBlocks(*row(0).blocks, rows.size(), row)}));
}

std::size_t NeighbourIndex::rows() const {
  return impl_->blocks.rows;
}

std::vector<Neighbour> NeighbourIndex::nearest_to(const NeighbourIndex& others,
                                                  const SearchOptions& options) const {
  const RowBlocks &among = impl_->blocks, &queries = others.impl_->blocks;
  if (options.neighbours == 0)
    throw ConfigError({.field = "neighbours"}, "A search wants at least one neighbour.");
  if (among.columns.size() != queries.columns.size())
    throw ConfigError("The queries are of another space: their number of columns differs.");
  std::vector<Neighbour> out(queries.rows * options.neighbours);
  if (among.rows == 0 || among.columns.size() == 0) return out;
  const auto columns = static_cast<double>(among.columns.size());
  const Forms forms(among);
  for_tiles(queries.rows, options, [&](std::size_t begin, std::size_t end) {
    Search search(among, forms, queries, options);
    for (std::size_t first = begin; first < end; first += kQueriesAtOnce) {
      options.cancel.check();
      search.each(first, std::min(end, first + kQueriesAtOnce),
                  [&](std::size_t query, const std::vector<Neighbour>& found) {
                    std::size_t to = queries.order[query] * options.neighbours;
                    for (const Neighbour& one : found) out[to++] = {one.distance / columns, one.row};
                  });
    }
  });
  return out;
}

void NeighbourIndex::each_within(const NeighbourIndex& others, std::span<const double> radii,
                                 const VisitWithin& visit, const SearchOptions& options) const {
  const RowBlocks &among = impl_->blocks, &queries = others.impl_->blocks;
  if (among.columns.size() != queries.columns.size())
    throw ConfigError("The queries are of another space: their number of columns differs.");
  if (radii.size() != queries.rows)
    throw ConfigError({.field = "radii"}, "Each row of the queries needs one radius.");
  const Forms forms(among);
  const bool none = among.rows == 0 || among.columns.size() == 0;
  for_tiles(queries.rows, options, [&](std::size_t begin, std::size_t end) {
    options.cancel.check();
    Search search(among, forms, queries, options, 1);
    std::vector<Neighbour> found;
    for (std::size_t query = begin; query < end; ++query) {
      const std::uint32_t row = queries.order[query];
      found.clear();
      if (!none)
        search.within(query, radii[row], [&](std::uint32_t position, double distance) {
          found.push_back({distance, among.order[position]});
        });
      visit(row, found);
    }
  });
}

}  // namespace synthema
