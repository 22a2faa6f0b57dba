#include "bindings/bindings.hpp"
#include "bindings/counts.hpp"
#include "synthema/core/error.hpp"
#include "synthema/privacy/calibration.hpp"
#include "synthema/privacy/ledger.hpp"
#include "synthema/privacy/noise.hpp"
#include "synthema/privacy/privacy_loss_distribution.hpp"
#include "synthema/privacy/renyi_accountant.hpp"

namespace synthema::bindings {

namespace {

using Pair = std::pair<double, double>;  // epsilon, delta

Accounting accounting_from(std::string_view name) {
  if (name == "numerical") return Accounting::numerical;
  if (name == "renyi") return Accounting::renyi;
  throw ConfigError({.field = "accounting"}, "The accounting must be 'numerical' or 'renyi'.");
}

std::optional<PrivacyBudget> budget_from(const std::optional<Pair>& pair) {
  if (!pair) return std::nullopt;
  return PrivacyBudget{pair->first, pair->second};
}
Pair pair_of(const PrivacyBudget& budget) {
  return {budget.epsilon, budget.delta};
}
std::optional<Pair> pair_of(const std::optional<PrivacyBudget>& budget) {
  if (!budget) return std::nullopt;
  return pair_of(*budget);
}

void bind_mechanisms(py::module_& module) {
  py::class_<GaussianMechanism>(
      module, "GaussianMechanism",
      R"(A sum of clipped contributions plus Gaussian noise, over a Poisson sample of the units.

Parameters
----------
noise_multiplier : float
    Standard deviation of the noise over the L2 sensitivity of one added or removed unit.
sampling_rate : float
    Each unit takes part with this probability, independently; 1: all do.
)")
      .def(py::init([](double noise_multiplier, double sampling_rate) {
             const GaussianMechanism out{noise_multiplier, sampling_rate};
             check_mechanism(out);
             return out;
           }),
           py::arg("noise_multiplier"), py::arg("sampling_rate") = 1.0)
      .def_readonly("noise_multiplier", &GaussianMechanism::noise_multiplier, "Deviation over sensitivity.")
      .def_readonly("sampling_rate", &GaussianMechanism::sampling_rate, "In (0, 1].")
      .def("__repr__", [](const GaussianMechanism& m) {
        return message("GaussianMechanism(", m.noise_multiplier, ", sampling_rate=", m.sampling_rate, ")");
      });
  py::class_<LaplaceMechanism>(module, "LaplaceMechanism", R"(A sum plus Laplace noise.

Parameters
----------
noise_multiplier : float
    Scale of the noise over the L1 sensitivity; one release has epsilon 1 / noise_multiplier.
)")
      .def(py::init([](double noise_multiplier) {
             const LaplaceMechanism out{noise_multiplier};
             check_mechanism(out);
             return out;
           }),
           py::arg("noise_multiplier"))
      .def_readonly("noise_multiplier", &LaplaceMechanism::noise_multiplier, "Scale over sensitivity.")
      .def("__repr__",
           [](const LaplaceMechanism& m) { return message("LaplaceMechanism(", m.noise_multiplier, ")"); });
}

void bind_exponential(py::module_& module) {
  py::class_<ExponentialMechanism>(
      module, "ExponentialMechanism",
      R"(A choice among candidates in proportion to exp(epsilon score / (2 sensitivity)).

Parameters
----------
epsilon : float
    Of one choice.
)")
      .def(py::init([](double epsilon) {
             const ExponentialMechanism out{epsilon};
             check_mechanism(out);
             return out;
           }),
           py::arg("epsilon"))
      .def_readonly("epsilon", &ExponentialMechanism::epsilon, "Of one choice.")
      .def("__repr__",
           [](const ExponentialMechanism& m) { return message("ExponentialMechanism(", m.epsilon, ")"); });
}

void bind_accountants(py::module_& module) {
  py::class_<RenyiAccountant>(
      module, "RenyiAccountant",
      R"(Renyi differential privacy: composition adds, some percent above the tight answer.

Parameters
----------
orders : list of float, optional
    Renyi orders, each above 1; by default those of dp-accounting.
)")
      .def(py::init([](const std::optional<std::vector<double>>& orders) {
             return RenyiAccountant(orders ? *orders : RenyiAccountant::default_orders());
           }),
           py::arg("orders") = py::none())
      .def("add", &RenyiAccountant::add, py::arg("mechanism"), py::arg("times") = 1,
           "Count `times` releases of this mechanism on the same data; returns the accountant.",
           py::return_value_policy::reference_internal, py::call_guard<py::gil_scoped_release>())
      .def(
          "epsilon", [](const RenyiAccountant& self, double delta) { return self.epsilon(delta).epsilon; },
          py::arg("delta"), "The epsilon spent at this delta.")
      .def(
          "best_order", [](const RenyiAccountant& self, double delta) { return self.epsilon(delta).order; },
          py::arg("delta"), "The order that gave epsilon; at an end of the list, more orders may give less.")
      .def("delta", &RenyiAccountant::delta, py::arg("epsilon"), "The delta at this epsilon.")
      .def_property_readonly("orders", &RenyiAccountant::orders, "The Renyi orders.")
      .def_property_readonly("divergences", &RenyiAccountant::divergences,
                             "The divergence of all that was added, one per order.");
  py::class_<PrivacyLossDistribution>(module, "PrivacyLossDistribution",
                                      R"(The numerical accountant: tight, and never below the exact answer.

Parameters
----------
mechanism : GaussianMechanism, LaplaceMechanism or ExponentialMechanism
    One release.
step : float
    Width of the grid in units of epsilon; halving it doubles the cost and lowers the excess.
)")
      .def(py::init<const Mechanism&, double>(), py::arg("mechanism"), py::arg("step") = 1e-4,
           py::call_guard<py::gil_scoped_release>())
      .def("composed", py::overload_cast<std::uint64_t>(&PrivacyLossDistribution::composed, py::const_),
           py::arg("times"), "This, `times` times on the same data.",
           py::call_guard<py::gil_scoped_release>())
      .def("composed",
           py::overload_cast<const PrivacyLossDistribution&>(&PrivacyLossDistribution::composed, py::const_),
           py::arg("other"), "This and another one on the same data; both with the same step.",
           py::call_guard<py::gil_scoped_release>())
      .def("epsilon", &PrivacyLossDistribution::epsilon, py::arg("delta"),
           "The epsilon at this delta; infinite where double precision reaches none.")
      .def("delta", &PrivacyLossDistribution::delta, py::arg("epsilon"), "The delta at this epsilon.");
  module.def(
      "privacy_epsilon",
      [](const Mechanism& mechanism, double delta, std::uint64_t releases, std::string_view accounting) {
        return epsilon_of(mechanism, releases, delta, accounting_from(accounting));
      },
      py::arg("mechanism"), py::arg("delta"), py::arg("releases"), py::arg("accounting"),
      "See synthema.privacy.epsilon.", py::call_guard<py::gil_scoped_release>());
  module.def(
      "privacy_noise_multiplier",
      [](double epsilon, double delta, double sampling_rate, std::uint64_t releases,
         std::string_view accounting) {
        return noise_multiplier({epsilon, delta, sampling_rate, releases}, accounting_from(accounting));
      },
      py::arg("epsilon"), py::arg("delta"), py::arg("sampling_rate"), py::arg("releases"),
      py::arg("accounting"), "See synthema.privacy.noise_multiplier.",
      py::call_guard<py::gil_scoped_release>());
}

template <class Draw>
std::vector<std::int64_t> draws(const Count& count, const Draw& draw) {
  const auto n = count.of<std::size_t>("n");
  const py::gil_scoped_release release;
  NoiseSource source = NoiseSource::operating_system();
  std::vector<std::int64_t> out(n);
  for (std::int64_t& value : out) value = draw(source);
  return out;
}

void bind_noise(py::module_& module) {
  module.def(
      "discrete_laplace",
      [](double scale, const Count& n) {
        return draws(n, [ratio = Ratio::at_least(scale)](NoiseSource& source) {
          return discrete_laplace(source, ratio);
        });
      },
      py::arg("scale"), py::arg("n"),
      "n integers of ``P(x) ~ exp(-|x| / scale)``, sampled exactly from the operating system's entropy.");
  module.def(
      "discrete_gaussian",
      [](double variance, const Count& n) {
        return draws(n, [ratio = Ratio::at_least(variance)](NoiseSource& source) {
          return discrete_gaussian(source, ratio);
        });
      },
      py::arg("variance"), py::arg("n"),
      "n integers of P(x) ~ exp(-x^2 / (2 variance)), sampled exactly from the operating system's entropy.");
}

void bind_choice(py::module_& module) {
  module.def(
      "exponential_choice",
      [](const std::vector<double>& scores, double epsilon, double sensitivity) {
        NoiseSource source = NoiseSource::operating_system();
        return exponential_choice(source, scores, epsilon, sensitivity);
      },
      py::arg("scores"), py::arg("epsilon"), py::arg("sensitivity"),
      "The index of one score, drawn in proportion to exp(epsilon score / (2 sensitivity)) from the "
      "operating "
      "system's entropy.",
      py::call_guard<py::gil_scoped_release>());
}

LedgerEntry make_entry(std::string mechanism, double sensitivity, std::string unit, double epsilon,
                       double delta, std::string released, std::string data_digest, bool private_noise,
                       double noise_multiplier, double sampling_rate, std::uint64_t steps) {
  LedgerEntry entry{.mechanism = std::move(mechanism),
                    .sensitivity = sensitivity,
                    .unit = std::move(unit),
                    .epsilon = epsilon,
                    .delta = delta,
                    .released = std::move(released),
                    .data_digest = std::move(data_digest),
                    .private_noise = private_noise,
                    .noise_multiplier = noise_multiplier,
                    .sampling_rate = sampling_rate,
                    .steps = steps};
  check_entry(entry);
  return entry;
}

void bind_entry(py::module_& module) {
  py::class_<LedgerEntry>(module, "LedgerEntry", R"(One release, as a ledger keeps it.

Parameters
----------
mechanism : str
    'DP-SGD, sampled Gaussian', 'discrete Laplace', ...
sensitivity : float
    Of what noise was added to, in its norm.
unit : str
    What is protected: 'row', 'patient'.
epsilon, delta : float
    What the release costs.
released : str
    'weights of the network', 'counts of ward by sex', ...
data_digest : str
    Keyed digest of the data.
private_noise : bool
    False for noise that a test could repeat.
noise_multiplier, sampling_rate, steps : float, float, int
    How epsilon came about, for people who check it; 0 where it does not apply.
)")
      .def(py::init(&make_entry), py::kw_only(), py::arg("mechanism"), py::arg("sensitivity"),
           py::arg("unit"), py::arg("epsilon"), py::arg("delta"), py::arg("released"),
           py::arg("data_digest") = "", py::arg("private_noise") = true, py::arg("noise_multiplier") = 0.0,
           py::arg("sampling_rate") = 0.0, py::arg("steps") = 0)
      .def_readonly("mechanism", &LedgerEntry::mechanism,
                    "What made the release, such as 'discrete Laplace'.")
      .def_readonly("sensitivity", &LedgerEntry::sensitivity, "Of what noise was added to, in its norm.")
      .def_readonly("unit", &LedgerEntry::unit, "What is protected: 'row', 'patient'.")
      .def_readonly("epsilon", &LedgerEntry::epsilon, "What the release costs, at `delta`.")
      .def_readonly("delta", &LedgerEntry::delta, "0 or more, below 1.")
      .def_readonly("released", &LedgerEntry::released, "What left, such as 'counts of ward by sex'.")
      .def_readonly("data_digest", &LedgerEntry::data_digest, "Keyed digest of the data; empty: not told.")
      .def_readonly("private_noise", &LedgerEntry::private_noise, "False for noise that a test could repeat.")
      .def_readonly("noise_multiplier", &LedgerEntry::noise_multiplier,
                    "Of a sampled mechanism; 0 where it does not apply.")
      .def_readonly("sampling_rate", &LedgerEntry::sampling_rate,
                    "Of a sampled mechanism; 0 where it does not apply.")
      .def_readonly("steps", &LedgerEntry::steps,
                    "Of a mechanism that is repeated; 0 where it does not apply.")
      .def("__repr__", [](const LedgerEntry& e) {
        return message("LedgerEntry(", e.mechanism, ": epsilon ", e.epsilon, ", delta ", e.delta, " per ",
                       e.unit, ")");
      });
}

void bind_ledger(py::module_& module) {
  py::class_<Ledger>(module, "Ledger",
                     R"(What has been spent on private data, and the budget it must stay within.

Parameters
----------
budget : (float, float), optional
    Epsilon and delta; without one nothing is refused.
)")
      .def(py::init([](const std::optional<Pair>& budget) { return Ledger(budget_from(budget)); }),
           py::arg("budget") = py::none())
      .def("add", &Ledger::add, py::arg("entry"),
           "Count a release; PrivacyBudgetError, and no change, if the sum would exceed the budget.")
      .def_property_readonly(
          "spent", [](const Ledger& self) { return pair_of(self.spent()); },
          "The sum of all entries, as (epsilon, delta).")
      .def_property_readonly(
          "remaining", [](const Ledger& self) { return pair_of(self.remaining()); },
          "(epsilon, delta) left of the budget; None without a budget.")
      .def_property_readonly(
          "budget", [](const Ledger& self) { return pair_of(self.budget()); }, "(epsilon, delta), or None.")
      .def_property_readonly("entries", &Ledger::entries, "Its entries, oldest first.")
      .def_property_readonly("is_private", &Ledger::is_private,
                             "Whether every entry used noise that nobody can repeat.")
      .def(
          "to_json", [](const Ledger& self) { return to_json(self); },
          "The JSON form, which artefacts carry.")
      .def_static(
          "from_json", [](const std::string& json) { return ledger_from_json(json); }, py::arg("json"),
          "The ledger of a JSON form; refused where it does not hold together.")
      .def("__len__", [](const Ledger& self) { return self.entries().size(); })
      .def("__repr__", [](const Ledger& self) {
        const PrivacyBudget spent = self.spent();
        return message("Ledger(", self.entries().size(), " entries, epsilon ", spent.epsilon, ", delta ",
                       spent.delta, self.is_private() ? ")" : ", NOT PRIVATE: test noise)");
      });
  py::class_<LedgerFile>(
      module, "LedgerFile",
      R"(A ledger that fits and processes share: one file of JSON lines, locked while it is used.

Parameters
----------
path : str or os.PathLike
    Made if there is none.
budget : (float, float), optional
    Epsilon and delta, set once when the file is made.
)")
      .def(py::init([](const py::object& path, const std::optional<Pair>& budget) {
             return LedgerFile(py::module_::import("os").attr("fspath")(path).cast<std::string>(),
                               budget_from(budget));
           }),
           py::arg("path"), py::arg("budget") = py::none())
      .def("append", &LedgerFile::append, py::arg("entry"),
           "Write the entry to disk, before the release it stands for; PrivacyBudgetError, and no change, if "
           "the budget would be exceeded.",
           py::call_guard<py::gil_scoped_release>())
      .def("read", &LedgerFile::read, "All of it, as a Ledger.", py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("path", &LedgerFile::path, "Where it is.");
}

}  // namespace

void bind_privacy(py::module_& module) {
  bind_mechanisms(module);
  bind_exponential(module);
  bind_accountants(module);
  bind_noise(module);
  bind_choice(module);
  bind_entry(module);
  bind_ledger(module);
}

}  // namespace synthema::bindings
