#include "synthema/evaluate/privacy/residual_risk.hpp"

#include <algorithm>
#include <cmath>

#include "synthema/core/normal.hpp"

namespace synthema {

namespace {

constexpr double kZ = kNormal95, kZ2 = kZ * kZ;

double centre_of(double s, double n) {
  return (s + kZ2 / 2) / (n + kZ2);
}
double half_of(double s, double n) {
  return kZ / (n + kZ2) * std::sqrt(std::max(0.0, s * (n - s) / n) + kZ2 / 4);
}

void propagate(ResidualRisk& risk) {
  const double left = 1 - risk.control;
  risk.half = std::hypot(risk.attack_half / left, risk.control_half * (risk.attack - 1) / (left * left));
}

}  // namespace

ResidualRisk residual_risk(double successes, double attacks, double control_successes,
                           double control_attacks) {
  ResidualRisk out;
  out.attack = centre_of(successes, attacks);
  out.control = centre_of(control_successes, control_attacks);
  out.attack_half = half_of(successes, attacks);
  out.control_half = half_of(control_successes, control_attacks);
  out.difference = (out.attack - out.control) / (1 - out.control);
  propagate(out);
  return out;
}

void widen(ResidualRisk& risk, double attack_error, double control_error) {
  risk.attack_half = std::max(risk.attack_half, kZ * attack_error);
  risk.control_half = std::max(risk.control_half, kZ * control_error);
  propagate(risk);
}

void set_risk(Score& score, const ResidualRisk& risk) {
  score.value = risk.risk();
  score.interval = Interval{std::clamp(risk.difference - risk.half, 0.0, 1.0),
                            std::clamp(risk.difference + risk.half, 0.0, 1.0), 0.95,
                            "Wilson of both rates, propagated; attacks taken as independent"};
}

}  // namespace synthema
