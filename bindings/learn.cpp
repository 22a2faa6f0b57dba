#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "bindings/bindings.hpp"
#include "bindings/python_objects.hpp"
#include "synthema/core/plug_in_error.hpp"
#include "synthema/data/label_columns.hpp"
#include "synthema/learn/learner.hpp"
#include "synthema/learn/prediction_metrics.hpp"

namespace synthema::bindings {

namespace {

using Array = py::array_t<double, py::array::c_style | py::array::forcecast>;

std::span<const double> numbers(const Array& array) {
  if (array.ndim() != 1) throw EvaluationError("One number a row is wanted.");
  return {array.data(), static_cast<std::size_t>(array.size())};
}

py::ssize_t length(std::size_t n) {
  return static_cast<py::ssize_t>(n);
}

Array matrix(const std::vector<double>& values, std::size_t rows, std::size_t columns) {
  Array out({length(rows), length(columns)});
  std::copy(values.begin(), values.end(), out.mutable_data());
  return out;
}

// {rows, classes} probabilities, or {rows} numbers.
Array array_of(const Predictions& predictions) {
  if (predictions.width == 1) return Array(length(predictions.values.size()), predictions.values.data());
  return matrix(predictions.values, predictions.rows(), predictions.width);
}

Predictions predictions_from(const Array& array) {
  if (array.ndim() < 1 || array.ndim() > 2)
    throw EvaluationError("Predictions must be {rows, classes} probabilities or {rows} numbers.");
  Predictions out{.width = array.ndim() == 2 ? static_cast<std::size_t>(array.shape(1)) : 1, .values = {}};
  out.values.assign(array.data(), array.data() + array.size());
  return out;
}

constexpr double kProbabilitySlack = 1e-3;  // some learners compute in single precision

bool are_probabilities(const Predictions& given) {
  for (std::size_t row = 0; row < given.rows(); ++row) {
    const auto of_row = std::span(given.values).subspan(row * given.width, given.width);
    const auto beyond = [](double p) { return !(p >= -kProbabilitySlack && p <= 1 + kProbabilitySlack); };
    if (std::ranges::any_of(of_row, beyond)) return false;  // NaN, too
    if (std::abs(std::accumulate(of_row.begin(), of_row.end(), 0.0) - 1) > kProbabilitySlack) return false;
  }
  return true;
}

// What a learner in Python gave for some rows. Of a target without classes these are 0.
Predictions predictions_of_learner(const py::object& given, const std::string& name, std::size_t rows,
                                   std::size_t classes) {
  const auto array = Array::ensure(given);  // null where it cannot be made one
  Predictions out{.width = std::max<std::size_t>(classes, 1), .values = {}};
  if (!array || array.ndim() < 1 || array.ndim() > 2 || array.shape(0) != length(rows) ||
      array.size() != length(rows * out.width))
    throw PlugInError(
        message("The learner '", name, "' must give ",
                classes > 0 ? "a probability of each class for each row" : "one number for each row",
                ", an array of ", rows, classes > 0 ? " rows." : " numbers."));
  out.values.assign(array.data(), array.data() + array.size());
  if (classes > 0 && !are_probabilities(out))
    throw PlugInError(
        message("The learner '", name,
                "' gave what are no probabilities: those of each row must be 0 to 1 and sum to 1."));
  if (!std::ranges::all_of(out.values, [](double one) { return std::isfinite(one); }))
    throw PlugInError(message("The learner '", name, "' gave a number that is not finite."));
  return out;
}

// A Python function (features, target, classes, seed) -> function(features) -> predictions, on the
// standardised design.
Learner python_learner(std::string name, const py::object& function) {
  const auto fit = [name, kept = held(function)](const LearningTask& task) -> Predictor {
    const DesignEncoding encoding(*task.training, task.columns);
    const Target target = task.target->of(*task.training);
    const DesignMatrix design = encoding.apply(*task.training);
    const std::vector<std::uint32_t> rows = target.rows_with_value();
    const std::vector<double> dense = design.dense();
    return with_plug_in([&]() -> Predictor {
      std::vector<double> chosen, values;
      for (const std::uint32_t row : rows) {
        const auto begin = dense.begin() + static_cast<std::ptrdiff_t>(row * design.columns);
        chosen.insert(chosen.end(), begin, begin + static_cast<std::ptrdiff_t>(design.columns));
        values.push_back(target.values[row]);
      }
      Random random = task.random;
      const py::object fitted =
          (*kept)(matrix(chosen, rows.size(), design.columns), Array(length(values.size()), values.data()),
                  target.classes, random());
      return [encoding, name, classes = target.classes, model = held(fitted)](const Table& table) {
        const DesignMatrix of_table = encoding.apply(table);
        return with_plug_in([&] {
          return predictions_of_learner((*model)(matrix(of_table.dense(), of_table.rows, of_table.columns)),
                                        name, of_table.rows, classes);
        });
      };
    });
  };
  return {std::move(name), fit};
}

struct BoundPredictor {
  Predictor predictor;
  std::vector<std::string> classes;
  std::vector<std::string> labels;  // texts of the training rows that are read as categories
};

BoundPredictor fit(const Learner& self, const py::object& rows, const std::string& target,
                   const std::optional<std::vector<std::string>>& columns, std::uint64_t seed,
                   std::size_t threads, std::size_t target_labels) {
  const auto given = table_of(rows).cast<Table>();
  const py::gil_scoped_release release;
  const std::vector<std::string> labels = label_columns(given);
  const Table table = with_categories(given, labels);
  const TargetColumn read(table, target, target_labels);
  LearningTask task{&table, columns ? *columns : feature_columns(table.schema(), target), &read, Random(seed),
                    threads};
  return {self.fit(task), read.labels(), labels};
}

void bind_learners(py::module_& module) {
  py::class_<BoundPredictor>(module, "Predictor", "A fitted model of one column of a table.")
      .def_readonly("classes", &BoundPredictor::classes,
                    "Labels in the order of the columns of `predict`; empty where a number is predicted.")
      .def(
          "predict",
          [](const BoundPredictor& self, const py::object& rows) {
            const auto table = table_of(rows).cast<Table>();
            Predictions out;
            {
              const py::gil_scoped_release release;
              out = self.predictor(with_categories(table, self.labels));
            }
            return array_of(out);
          },
          py::arg("table"),
          "Probabilities of the classes, an array {rows, classes}; or numbers, {rows}. The table needs the "
          "columns "
          "that the model reads.");
  py::class_<Learner>(module, "Learner", "Fits a model of one column of a table to its other columns.")
      .def_readonly("name", &Learner::name, "Enters scores.")
      .def("fit", &fit, py::arg("table"), py::arg("target"), py::kw_only(), py::arg("columns") = py::none(),
           py::arg("seed") = 0, py::arg("threads") = 0, py::arg("target_labels") = 0,
           R"(Fit a model.

Parameters
----------
table : Table or frame
    Training rows; those without a target are left out. Texts that hold labels (a frame's strings, each used
    twice on average) are categories.
target : str
    A category, a boolean, a number with two different values (classes), or any other number.
columns : list of str, optional
    What the model may read; all but the target, identifiers, subjects, free texts and lists if not given.
seed : int
    Of early stopping.
threads : int
    0: all cores; never changes the model.
target_labels : int
    Of a target with more labels the rarest are one class, so that there are as many; 0: all are classes.

Returns
-------
Predictor
)");
  module.def(
      "boosted_trees",
      [](std::size_t rounds, double learning_rate, std::size_t max_leaves, std::size_t max_depth,
         std::size_t min_samples_leaf, double l2, std::size_t early_stopping_from, double validation_share,
         std::size_t patience) {
        BoostingOptions o{.rounds = rounds,
                          .learning_rate = learning_rate,
                          .tree = {.max_leaves = max_leaves,
                                   .max_depth = max_depth,
                                   .min_samples_leaf = min_samples_leaf,
                                   .l2 = l2},
                          .early_stopping_from = early_stopping_from,
                          .validation_share = validation_share,
                          .patience = patience};
        return boosted_trees(o);
      },
      py::kw_only(), py::arg("rounds") = 100, py::arg("learning_rate") = 0.1, py::arg("max_leaves") = 31,
      py::arg("max_depth") = 0, py::arg("min_samples_leaf") = 20, py::arg("l2") = 0.0,
      py::arg("early_stopping_from") = 10000, py::arg("validation_share") = 0.1, py::arg("patience") = 10,
      R"(Return a learner of gradient-boosted histogram trees.

Parameters
----------
rounds : int
    Most rounds of boosting.
learning_rate : float
    Factor of every tree.
max_leaves, max_depth, min_samples_leaf : int
    Limits of a tree; a depth of 0 is no limit.
l2 : float
    Penalty on the values of leaves.
early_stopping_from : int
    With more training rows, `validation_share` of them decide when to stop: after `patience` rounds in which their
    loss has not fallen.
validation_share, patience : float, int
    See there.

Returns
-------
Learner
)");
  module.def(
      "linear_model", [](double l2) { return linear_model({.l2 = l2}); }, py::kw_only(), py::arg("l2") = 1.0,
      R"(Return a learner of (multinomial) logistic or ridge regression on standardised columns.

Parameters
----------
l2 : float
    Half of it times the sum of the squared coefficients is added to the summed loss: 1 / C of scikit-learn.

Returns
-------
Learner
)");
  module.def("_python_learner", &python_learner, py::arg("name"), py::arg("function"));
}

void bind_encoding(py::module_& module) {
  py::class_<DesignEncoding>(module, "DesignEncoding",
                             R"(Columns of a table as the numbers of a linear model.

Parameters
----------
table : Table
    Rows to learn means, deviations and labels from.
columns : list of str, optional
    All but identifiers, subjects, texts and lists if not given.
standardize : bool
    Divide by standard deviations.
)")
      .def(py::init([](const Table& table, const std::optional<std::vector<std::string>>& columns,
                       bool standardize) {
             return DesignEncoding(table, columns ? *columns : feature_columns(table.schema()), standardize);
           }),
           py::arg("table"), py::arg("columns") = py::none(), py::kw_only(), py::arg("standardize") = true)
      .def_property_readonly(
          "names",
          [](const DesignEncoding& e) {
            return std::vector<std::string>(e.names().begin(), e.names().end());
          },
          "'age', 'sex = male', 'age is missing', ...")
      .def(
          "apply",
          [](const DesignEncoding& e, const Table& table) {
            const DesignMatrix design = e.apply(table);
            return matrix(design.dense(), design.rows, design.columns);
          },
          py::arg("table"), "An array {rows, names}.");
  module.def(
      "linear_coefficients",
      [](const Table& table, const std::string& target, double l2) {
        const TargetColumn read(table, target);
        const DesignMatrix design =
            DesignEncoding(table, feature_columns(table.schema(), target)).apply(table);
        const Target values = read.of(table);
        const LinearModel model(design, values, values.rows_with_value(), {.l2 = l2});
        std::vector<double> all, intercepts;
        for (std::size_t k = 0; k < values.outputs(); ++k) {
          const auto own = model.coefficients(k);
          all.insert(all.end(), own.begin(), own.end());
          intercepts.push_back(model.intercept(k));
        }
        return std::pair(matrix(all, values.outputs(), design.columns), intercepts);
      },
      py::arg("table"), py::arg("target"), py::kw_only(), py::arg("l2") = 1.0,
      "Coefficients {outputs, names of the DesignEncoding} of the linear model of a column, and its "
      "intercepts.");
}

void bind_metrics(py::module_& module) {
  const auto two = [&](const char* name, auto function, const char* a, const char* help) {
    module.def(
        name,
        [function](const Array& x, const Array& labels) { return function(numbers(x), numbers(labels)); },
        py::arg(a), py::arg("labels"), help);
  };
  using Values = std::span<const double>;
  two(
      "auroc", [](Values s, Values l) { return auroc(s, l); }, "scores",
      "Chance that a row labelled 1 scores above one labelled 0, ties half; None without both.");
  two("average_precision", &average_precision, "scores",
      "Area under precision against recall; None without a 1.");
  two("brier_score", &brier_score, "probabilities", "Mean squared difference of probability and label.");
  two("r_squared", &r_squared, "predicted",
      "1 - residual / total sum of squares; None where labels are constant.");
  module.def(
      "calibration_error",
      [](const Array& p, const Array& labels, std::size_t bins) {
        return calibration_error(numbers(p), numbers(labels), bins);
      },
      py::arg("probabilities"), py::arg("labels"), py::arg("bins") = 10,
      "Mean over rows of the absolute difference of mean probability and share of 1 in the row's bin of "
      "equal width.");
  const auto of_classes = [&](const char* name, auto function, const char* help) {
    module.def(
        name,
        [function](const Array& p, const Array& classes) {
          return function(predictions_from(p), numbers(classes));
        },
        py::arg("probabilities"), py::arg("classes"), help);
  };
  using P = const Predictions&;
  of_classes(
      "f1_score", [](P p, Values c) { return confusion_matrix(p, c).f1(); },
      "F1 of class 1 of two, else the mean of all classes, of the most probable class.");
  of_classes(
      "balanced_accuracy", [](P p, Values c) { return confusion_matrix(p, c).balanced_accuracy(); },
      "Mean recall of the classes, of the most probable class.");
  of_classes(
      "multiclass_auroc",
      [](P p, Values c) {
        const auto found = auroc_influence(p, c);
        return found ? std::optional(found->auroc) : std::nullopt;
      },
      "AUROC of class 1 of two, else the mean over classes of one against the rest.");
}

}  // namespace

void bind_learn(py::module_& module) {
  bind_learners(module);
  bind_encoding(module);
  bind_metrics(module);
}

}  // namespace synthema::bindings
