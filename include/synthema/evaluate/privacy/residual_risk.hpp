// What an attack on people of the training data achieves beyond what it achieves on people who are not in it
// (Giomi et al., "A unified framework for quantifying privacy risk in synthetic data", PoPETs 2023, sections
// 3.2 and 3.3; anonymeter). Success rates are the centres of Wilson's intervals; the risk is
// (attack - control) / (1 - control), its interval that of both rates, propagated to first order.
#pragma once

#include "synthema/evaluate/score.hpp"

namespace synthema {

struct ResidualRisk {
  double attack = 0, control = 0;            // success rates
  double difference = 0;                     // (attack - control) / (1 - control), may be negative
  double attack_half = 0, control_half = 0;  // half-widths of the 95 % intervals
  double half = 0;

  double risk() const { return difference > 0 ? (difference < 1 ? difference : 1.0) : 0.0; }
};

// Successes of attacks and control attacks, each of a number of independent attempts (fractions allowed).
ResidualRisk residual_risk(double successes, double attacks, double control_successes,
                           double control_attacks);
// Where the attempts are not independent: half-widths of at least 1.96 of these standard errors of the rates.
void widen(ResidualRisk& risk, double attack_error, double control_error);
// Value and interval, cut to [0, 1].
void set_risk(Score& score, const ResidualRisk& risk);

}  // namespace synthema
