// What this machine can do at most: fp32 and 8-bit multiply-adds in registers, and reading memory in a row.
// Prints one JSON object; arguments: the number of threads and, if nothing wider counts, `avx2`. Built and
// run by machine.py.
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int kChains = 12;  // independent sums: enough to hide the latency of an instruction
constexpr long kRounds = 4'000'000;

// Keeps the compiler from moving the work out of the loop or dropping it.
#define OPAQUE(x) asm volatile("" : "+x"(x))
#define OPAQUE512(x) asm volatile("" : "+v"(x))

// Each function does kRounds x kChains instructions (or pairs) and returns its operations.
__attribute__((target("avx512f"))) double fma_512() {
  __m512 sum[kChains], a = _mm512_set1_ps(0.5f);
  for (auto& s : sum) s = a;
  for (long round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm512_fmadd_ps(s, a, a);
    OPAQUE512(a);
  }
  for (auto& s : sum) OPAQUE512(s);
  return 2.0 * 16 * kRounds * kChains;
}

__attribute__((target("avx2,fma"))) double fma_256() {
  __m256 sum[kChains], a = _mm256_set1_ps(0.5f);
  for (auto& s : sum) s = a;
  for (long round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm256_fmadd_ps(s, a, a);
    OPAQUE(a);
  }
  for (auto& s : sum) OPAQUE(s);
  return 2.0 * 8 * kRounds * kChains;
}

__attribute__((target("avx512f,avx512bw,avx512vnni"))) double vnni_512() {
  __m512i sum[kChains], a = _mm512_set1_epi8(1);
  for (auto& s : sum) s = a;
  for (long round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm512_dpbusd_epi32(s, a, a);
    OPAQUE512(a);
  }
  for (auto& s : sum) OPAQUE512(s);
  return 2.0 * 64 * kRounds * kChains;
}

// Without VNNI: pairs to 16 bits, pairs to 32 bits, add.
__attribute__((target("avx2"))) double pairs_256() {
  __m256i sum[kChains], a = _mm256_set1_epi8(1), ones = _mm256_set1_epi16(1);
  for (auto& s : sum) s = a;
  for (long round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (auto& s : sum) {
      OPAQUE(a);
      s = _mm256_add_epi32(s, _mm256_madd_epi16(_mm256_maddubs_epi16(a, a), ones));
    }
  }
  for (auto& s : sum) OPAQUE(s);
  return 2.0 * 32 * kRounds * kChains;
}

__attribute__((target("avx2"))) double read_all(const std::vector<float>& values) {
  __m256 sum[4] = {};
  for (std::size_t i = 0; i + 32 <= values.size(); i += 32)
    for (int k = 0; k < 4; ++k)
      sum[k] = _mm256_add_ps(sum[k], _mm256_loadu_ps(values.data() + i + 8 * static_cast<std::size_t>(k)));
  for (auto& s : sum) OPAQUE(s);
  return 4.0 * static_cast<double>(values.size());
}

// Best rate of five: operations (or bytes) of all threads per second.
double best_rate(int threads, const std::function<double(int)>& work) {
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::vector<double> done(static_cast<std::size_t>(threads));
    const auto start = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> workers;
      for (int t = 0; t < threads; ++t)
        workers.emplace_back([&, t] { done[static_cast<std::size_t>(t)] = work(t); });
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    double sum = 0;
    for (const double d : done) sum += d;
    best = std::max(best, sum / seconds.count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const bool narrow = argc > 2 && std::string_view(argv[2]) == "avx2";
  const bool wide = !narrow && __builtin_cpu_supports("avx512f");
  const bool vnni = !narrow && __builtin_cpu_supports("avx512vnni");
  const std::vector<std::vector<float>> memory(static_cast<std::size_t>(threads),
                                               std::vector<float>(64'000'000, 1.0f));
  const double fp32 = best_rate(threads, [&](int) { return wide ? fma_512() : fma_256(); });
  const double int8 = best_rate(threads, [&](int) { return vnni ? vnni_512() : pairs_256(); });
  const double read =
      best_rate(threads, [&](int t) { return read_all(memory[static_cast<std::size_t>(t)]); });
  std::printf("{\"fp32_gflops\": %.1f, \"int8_gops\": %.1f, \"read_gb_s\": %.2f}\n", fp32 / 1e9, int8 / 1e9,
              read / 1e9);
}
