#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>

#include "cpu/instruction_sets.hpp"
#include "src/cpu/attention.hpp"

using namespace synthema;
using namespace synthema::cpu;

namespace {

// Keys and values of some tokens, one key-value head, in blocks; beside them the numbers that were stored.
class Cache {
 public:
  Cache(InstructionSet set, KvType type, std::int64_t width)
      : kernels_(attention_kernels(set)), layout_{type, width} {}

  // The blocks of a sequence of tokens; the same beginning has the same blocks.
  std::vector<const std::byte*> blocks_of(const std::vector<int>& tokens) {
    std::vector<const std::byte*> out;
    for (std::size_t begin = 0; begin < tokens.size(); begin += kKeysPerBlock) {
      const std::size_t end = std::min(begin + kKeysPerBlock, tokens.size());
      auto& block = blocks_[{tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(end)}];
      if (!block) {
        block = std::make_unique<std::byte[]>(static_cast<std::size_t>(layout_.size()));
        for (std::size_t i = begin; i < end; ++i)
          kernels_.store(layout_, vector(tokens[i], 0).data(), vector(tokens[i], 1).data(), block.get(),
                         static_cast<std::int64_t>(i - begin));
      }
      out.push_back(block.get());
    }
    return out;
  }
  std::vector<float> vector(int token, std::uint64_t part) const {
    Random random(static_cast<std::uint64_t>(token) * 2 + part);
    return random_floats(random, static_cast<std::size_t>(layout_.width), 4);
  }
  const KvLayout& layout() const { return layout_; }
  const AttentionKernels& kernels() const { return kernels_; }

 private:
  const AttentionKernels& kernels_;
  KvLayout layout_;
  std::map<std::vector<int>, std::unique_ptr<std::byte[]>> blocks_;
};

// A row: what it has read, which positions of it it sees, its queries.
struct Row {
  std::vector<int> tokens;
  std::int64_t first, last;
  std::vector<float> queries;  // {group, width}
};

constexpr float kScale = 0.2f;

std::vector<std::vector<float>> attend(Cache& cache, const std::vector<Row>& rows, std::int64_t group) {
  const std::int64_t stride = group * cache.layout().width;
  std::vector<std::vector<const std::byte*>> blocks;
  std::vector<RowView> views;
  std::vector<float> queries, out(rows.size() * static_cast<std::size_t>(stride), -1);
  for (const Row& row : rows) {
    blocks.push_back(cache.blocks_of(row.tokens));
    views.push_back({blocks.back().data(), row.first, row.last, static_cast<std::int32_t>(views.size())});
    queries.insert(queries.end(), row.queries.begin(), row.queries.end());
  }
  AttentionPlan plan;
  plan.assign(views);
  // States need not be initialised: garbage must not matter.
  std::vector<float> states(rows.size() * static_cast<std::size_t>(group * state_size(cache.layout())),
                            std::numeric_limits<float>::quiet_NaN());
  const AttentionHead head{cache.layout(), 0,          group,  kScale,       queries.data(),
                           stride,         out.data(), stride, states.data()};
  for (std::size_t i = 0; i < plan.size(); ++i)
    cache.kernels().attend(plan[i].data(), static_cast<std::int64_t>(plan[i].size()), head);
  std::vector<std::vector<float>> found;
  for (std::size_t r = 0; r < rows.size(); ++r)
    found.emplace_back(out.begin() + static_cast<std::ptrdiff_t>(r) * stride,
                       out.begin() + static_cast<std::ptrdiff_t>(r + 1) * stride);
  return found;
}

// softmax(scale * query . keys) . values by the definition, in double.
std::vector<double> exact(const Cache& cache, const Row& row, std::int64_t group) {
  const auto width = static_cast<std::size_t>(cache.layout().width);
  std::vector<double> out;
  for (std::size_t g = 0; g < static_cast<std::size_t>(group); ++g) {
    std::vector<double> scores, sums(width);
    for (std::int64_t p = row.first; p <= row.last; ++p) {
      const auto key = cache.vector(row.tokens[static_cast<std::size_t>(p)], 0);
      double score = 0;
      for (std::size_t i = 0; i < width; ++i) score += double{row.queries[g * width + i]} * key[i];
      scores.push_back(score * kScale);
    }
    const double top = *std::ranges::max_element(scores);
    double denominator = 0;
    for (std::size_t p = 0; p < scores.size(); ++p) {
      const auto value = cache.vector(row.tokens[static_cast<std::size_t>(row.first) + p], 1);
      const double weight = std::exp(scores[p] - top);
      denominator += weight;
      for (std::size_t i = 0; i < width; ++i) sums[i] += weight * value[i];
    }
    for (const double s : sums) out.push_back(s / denominator);
  }
  return out;
}

// Sequences that share prefixes of several lengths, some rows of one sequence, some windows.
std::vector<Row> random_rows(Random random, std::size_t count, std::int64_t group, std::int64_t width) {
  std::vector<Row> rows;
  const std::size_t shared = random.below(300);
  for (std::size_t r = 0; r < count; ++r) {
    Row row;
    const std::size_t own = 1 + random.below(200), branch = random.below(2);
    for (std::size_t i = 0; i < shared; ++i)
      row.tokens.push_back(static_cast<int>(i + (i > shared / 2 ? 1000 * branch : 0)));
    for (std::size_t i = 0; i < own; ++i) row.tokens.push_back(static_cast<int>(10000 + 1000 * r + i));
    if (r > 0 && random.below(3) == 0) row.tokens = rows.back().tokens;  // another row of that sequence
    const auto length = static_cast<std::uint64_t>(row.tokens.size());
    row.last = static_cast<std::int64_t>(random.below(4) == 0 ? random.below(length) : length - 1);
    row.first = random.below(4) == 0
                    ? static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(row.last) + 1))
                    : 0;
    row.queries = random_floats(random, static_cast<std::size_t>(group * width), 6);
    rows.push_back(std::move(row));
  }
  return rows;
}

struct Shape {
  std::int64_t group, width;
};
constexpr Shape kShapes[] = {{1, 2},  {1, 64},  {3, 64},  {7, 64}, {8, 20},
                             {2, 80}, {5, 128}, {1, 256}, {30, 16}};

constexpr double tolerance_of(KvType type) {
  return type == KvType::float32 ? 1e-5 : type == KvType::float16 ? 4e-3 : 8e-2;
}

}  // namespace

TEST_CASE("attention is the definition, within the error of the stored type") {
  for (const KvType type : {KvType::float32, KvType::float16, KvType::int8})
    for (const Shape& shape : kShapes) {
      Cache cache(best_instruction_set(), type, shape.width);
      const auto rows = random_rows(Random(11).stream(static_cast<std::uint64_t>(shape.width)), 6,
                                    shape.group, shape.width);
      const auto found = attend(cache, rows, shape.group);
      double worst = 0;
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const auto expected = exact(cache, rows[r], shape.group);
        for (std::size_t i = 0; i < expected.size(); ++i)
          worst = std::max(worst, std::abs(found[r][i] - expected[i]));
      }
      INFO("type ", static_cast<int>(type), " group ", shape.group, " width ", shape.width);
      CHECK(worst < tolerance_of(type));
      if (type != KvType::float32) CHECK(worst > 1e-6);  // it is another type
    }
}

TEST_CASE("a row gets the same bytes alone and among others, and on every instruction set") {
  for (const KvType type : {KvType::float32, KvType::float16, KvType::int8})
    for (const Shape& shape : kShapes) {
      const auto rows = random_rows(Random(12).stream(static_cast<std::uint64_t>(shape.width)), 9,
                                    shape.group, shape.width);
      Cache portable(InstructionSet::portable, type, shape.width);
      std::vector<std::vector<float>> alone;
      for (const Row& row : rows) alone.push_back(attend(portable, {row}, shape.group).at(0));
      on_every_instruction_set([&](InstructionSet set) {
        Cache cache(set, type, shape.width);
        const auto together = attend(cache, rows, shape.group);
        for (std::size_t r = 0; r < rows.size(); ++r) CHECK(same_bytes(together[r], alone[r]));
      });
    }
}

TEST_CASE("sixty-four rows behind one prefix, in any order") {
  const std::int64_t group = 3, width = 64;
  std::vector<Row> rows;
  for (std::size_t r = 0; r < 64; ++r) {
    Random random = Random(13).stream(r);
    Row row{{}, 0, 0, random_floats(random, static_cast<std::size_t>(group * width), 6)};
    for (int i = 0; i < 300; ++i) row.tokens.push_back(i);
    for (std::size_t i = 0; i <= r; ++i) row.tokens.push_back(static_cast<int>(10000 + 1000 * r + i));
    row.last = static_cast<std::int64_t>(row.tokens.size()) - 1;
    rows.push_back(std::move(row));
  }
  Cache cache(best_instruction_set(), KvType::float32, width);
  const auto together = attend(cache, rows, group);
  for (std::size_t r = 0; r < rows.size(); ++r)
    CHECK(same_bytes(attend(cache, {rows[r]}, group).at(0), together[r]));
  auto reversed = rows;
  std::ranges::reverse(reversed);
  const auto backwards = attend(cache, reversed, group);
  for (std::size_t r = 0; r < rows.size(); ++r) CHECK(same_bytes(backwards[63 - r], together[r]));
}

TEST_CASE("the plan has each seen position of each row once, in order, and puts shared blocks side by side") {
  std::vector<std::byte> memory(64);
  std::vector<const std::byte*> a, b;
  for (std::size_t i = 0; i < 12; ++i) {
    a.push_back(&memory[i]);
    b.push_back(&memory[i < 6 ? i : 20 + i]);  // shares six blocks
  }
  const std::vector<RowView> views{
      {a.data(), 0, 300, 0}, {b.data(), 0, 383, 1}, {a.data(), 100, 127, 2}, {b.data(), 200, 200, 3}};
  AttentionPlan plan;
  plan.assign(views);
  REQUIRE(plan.size() == 3);
  std::vector<std::int64_t> next(views.size(), -1);
  for (std::size_t c = 0; c < plan.size(); ++c)
    for (const RowChunk& chunk : plan[c]) {
      const RowView& view = views[static_cast<std::size_t>(chunk.row)];
      std::int64_t& position = next[static_cast<std::size_t>(chunk.row)];
      const auto start = static_cast<std::int64_t>(c) * 128;
      CHECK(chunk.starts == (position == -1));
      if (position == -1) position = view.first;
      CHECK(start + chunk.first == position);
      position = start + chunk.last + 1;
      CHECK(chunk.ends == (position == view.last + 1));
      for (std::int64_t k = 0; k < kBlocksPerChunk; ++k) {
        const bool seen = k >= chunk.first / 32 && k <= chunk.last / 32;
        CHECK(chunk.blocks[k] == (seen ? view.blocks[c * 4 + static_cast<std::size_t>(k)] : nullptr));
      }
    }
  for (std::size_t r = 0; r < views.size(); ++r) CHECK(next[r] == views[r].last + 1);
  plan.assign({});
  CHECK(plan.size() == 0);
}

TEST_CASE("stored halves are rounded to nearest even, the same bits on every instruction set") {
  // value, its binary16 (Python: struct.pack('e', x)); 65520 is the first that rounds to infinity.
  const std::vector<std::pair<float, std::uint16_t>> known{
      {0.0f, 0x0000},         {-0.0f, 0x8000},      {1.0f, 0x3c00},
      {0.1f, 0x2e66},         {2049.0f, 0x6800},    {2051.0f, 0x6802},
      {65504.0f, 0x7bff},     {65519.0f, 0x7bff},   {65520.0f, 0x7c00},
      {-1e9f, 0xfc00},        {0x1p-24f, 0x0001},   {0x1p-25f, 0x0000},
      {0x3p-25f, 0x0002},     {0x1.8p-25f, 0x0001}, {0x1.ff8p-15f, 0x03ff},
      {0x1.ffcp-15f, 0x0400}, {0x1p-149f, 0x0000},  {std::numeric_limits<float>::infinity(), 0x7c00}};
  on_every_instruction_set([&](InstructionSet set) {
    const KvLayout layout{KvType::float16, 32};
    std::vector<std::byte> head(static_cast<std::size_t>(layout.size()));
    std::vector<float> vector(32);
    for (std::size_t i = 0; i < known.size(); ++i) vector[i] = known[i].first;
    attention_kernels(set).store(layout, vector.data(), vector.data(), head.data(), 3);
    for (std::size_t i = 0; i < known.size(); ++i) {
      std::uint16_t key = 0, value = 0;
      std::memcpy(&key, head.data() + 2 * (32 * i + 3), 2);
      std::memcpy(&value, head.data() + layout.values() + static_cast<std::ptrdiff_t>(2 * (32 * 3 + i)), 2);
      INFO(known[i].first);
      CHECK(key == known[i].second);
      CHECK(value == known[i].second);
    }
  });
}

TEST_CASE("a NaN among the keys, the values or the queries is not hidden, and zero vectors are no trouble") {
  on_every_instruction_set([&](InstructionSet set) {
    for (const KvType type : {KvType::float32, KvType::float16, KvType::int8})
      for (const float broken : {0.0f, std::numeric_limits<float>::quiet_NaN()})
        for (int place = 0; place < 3; ++place) {
          const KvLayout layout{type, 16};
          std::vector<std::byte> head(static_cast<std::size_t>(layout.size()));
          std::vector<std::vector<float>> vectors(3, std::vector<float>(16));  // key, value, query
          vectors[static_cast<std::size_t>(place)][5] = broken;
          attention_kernels(set).store(layout, vectors[0].data(), vectors[1].data(), head.data(), 0);
          const std::byte* blocks[] = {head.data()};
          const RowView view{blocks, 0, 0, 0};
          AttentionPlan plan;
          plan.assign(std::span(&view, 1));
          std::vector<float> states(static_cast<std::size_t>(state_size(layout))), out(16, -1);
          attention_kernels(set).attend(
              plan[0].data(), 1, {layout, 0, 1, 1.0f, vectors[2].data(), 16, out.data(), 16, states.data()});
          if (std::isnan(broken))
            CHECK(std::isnan(out[5]));
          else
            CHECK(out == std::vector<float>(16, 0.0f));
        }
  });
}
