// Speed of attention per instruction set and type of keys and values, one thread, SmolLM2's shape: GFLOP/s
// over a prefix that 64 rows share, GB/s of keys and values that each row has for itself.
#include "src/cpu/attention.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include "src/cpu/block_memory.hpp"
#include "synthema/core/random.hpp"

using namespace synthema;
using namespace synthema::cpu;

namespace {

constexpr std::int64_t kRows = 64, kKvHeads = 3, kGroup = 3, kWidth = 64, kLayers = 8;

struct Job {
  std::vector<std::vector<const std::byte*>> blocks;  // by row
  std::int64_t first, last;
};

class Bench {
 public:
  Bench(InstructionSet set, KvType type)
      : rounds_(set == InstructionSet::portable ? 1 : 7),  // it takes a thousand times as long
        kernels_(attention_kernels(set)),
        layout_{type, kWidth},
        queries_(kRows * kKvHeads * kGroup * kWidth),
        out_(queries_.size()),
        states_(static_cast<std::size_t>(kRows * kGroup * state_size(layout_))),
        blocks_(kLayers * kKvHeads * layout_.size()) {
    Random random(1);
    for (float& x : queries_) x = static_cast<float>(random.uniform() - 0.5);
  }

  const std::byte* block() {
    const std::int32_t index = used_++;
    blocks_.clear(index);
    for (std::int64_t head = 0; head < kLayers * kKvHeads; ++head)
      for (std::int64_t lane = 0; lane < kKeysPerBlock; ++lane)
        kernels_.store(layout_, queries_.data() + lane * kWidth, queries_.data() + (lane + 1) * kWidth,
                       blocks_[index] + head * layout_.size(), lane);
    return blocks_[index];
  }

  // Best of some rounds over all layers, in seconds.
  double seconds(const Job& job) {
    std::vector<RowView> views;
    for (const auto& blocks : job.blocks)
      views.push_back({blocks.data(), job.first, job.last, static_cast<std::int32_t>(views.size())});
    AttentionPlan plan;
    plan.assign(views);
    double best = 1e9;
    for (int round = 0; round < rounds_; ++round) {
      const std::clock_t start = std::clock();  // CPU time: the machine may be busy
      for (std::int64_t layer = 0; layer < kLayers; ++layer)
        for (std::int64_t head = 0; head < kKvHeads; ++head) run(plan, layer, head);
      best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    return best;
  }
  const KvLayout& layout() const { return layout_; }

 private:
  void run(const AttentionPlan& plan, std::int64_t layer, std::int64_t kv_head) {
    const std::int64_t stride = kKvHeads * kGroup * kWidth, at = kv_head * kGroup * kWidth;
    const AttentionHead head{layout_,
                             (layer * kKvHeads + kv_head) * layout_.size(),
                             kGroup,
                             0.125f,
                             queries_.data() + at,
                             stride,
                             out_.data() + at,
                             stride,
                             states_.data()};
    for (std::size_t i = 0; i < plan.size(); ++i)
      kernels_.attend(plan[i].data(), static_cast<std::int64_t>(plan[i].size()), head);
  }

  int rounds_;
  const AttentionKernels& kernels_;
  KvLayout layout_;
  std::vector<float> queries_, out_, states_;
  BlockMemory blocks_;
  std::int32_t used_ = 0;
};

void report(InstructionSet set, KvType type, const char* name) {
  Bench bench(set, type);
  Job shared{{}, 0, 1023}, own{{}, 0, 127};
  std::vector<const std::byte*> prefix(32);
  for (auto& block : prefix) block = bench.block();
  shared.blocks.assign(kRows, prefix);
  own.blocks.assign(kRows, std::vector<const std::byte*>(4));
  for (auto& blocks : own.blocks)
    for (auto& block : blocks) block = bench.block();
  const double flops = 4.0 * kRows * kKvHeads * kGroup * kWidth * kLayers;  // a key
  const double bytes = static_cast<double>(kRows * 4 * kLayers * kKvHeads * bench.layout().size());
  const double a = bench.seconds(shared), b = bench.seconds(own);
  std::printf("%-9s %-8s shared %7.1f GFLOP/s   own %6.1f GB/s %7.1f GFLOP/s\n", name_of(set).data(), name,
              flops * 1024 / a * 1e-9, bytes / b * 1e-9, flops * 128 / b * 1e-9);
}

}  // namespace

int main() {
  for (const InstructionSet set : supported_instruction_sets())
    for (const auto& [type, name] : {std::pair{KvType::float32, "float32"},
                                     std::pair{KvType::float16, "float16"}, std::pair{KvType::int8, "int8"}})
      report(set, type, name);
}
