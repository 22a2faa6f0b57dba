#include "synthema/evaluate/distance.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace synthema {

namespace {

// Calls visit(width to the next value, difference of the two cumulative shares) after each different value.
template <class Visit>
void walk(std::vector<double>& a, std::vector<double>& b, const Visit& visit) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::size_t i = 0, j = 0;
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  while (i < a.size() || j < b.size()) {
    const double value = j == b.size() || (i < a.size() && a[i] <= b[j]) ? a[i] : b[j];
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    const bool last = i == a.size() && j == b.size();
    const double next = last ? value : j == b.size() || (i < a.size() && a[i] <= b[j]) ? a[i] : b[j];
    visit(next - value, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
}

}  // namespace

double ks_distance(std::vector<double> a, std::vector<double> b) {
  double largest = 0;
  walk(a, b, [&](double, double difference) { largest = std::max(largest, difference); });
  return largest;
}

double wasserstein_distance(std::vector<double> a, std::vector<double> b) {
  double area = 0;
  walk(a, b, [&](double width, double difference) { area += width * difference; });
  return area;
}

}  // namespace synthema
