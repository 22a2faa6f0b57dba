#include "synthema/learn/learner.hpp"

#include <limits>

namespace synthema {

Learner boosted_trees(BoostingOptions options) {
  const auto fit = [options](const LearningTask& task) -> Predictor {
    BoostingOptions chosen = options;
    chosen.tree.threads = task.threads;
    chosen.cancel = task.cancel;
    const Binning binning(*task.training, task.columns);
    const Target target = task.target->of(*task.training);
    const GradientBoosting model(binning.apply(*task.training, task.threads), binning.columns(), target,
                                 target.rows_with_value(), chosen, task.random);
    return [binning, model, threads = task.threads](const Table& table) {
      return model.predict(binning.apply(table, threads));
    };
  };
  return {"boosted trees", fit, options.early_stopping_from + 1};
}

Learner linear_model(LinearOptions options) {
  const auto fit = [options](const LearningTask& task) -> Predictor {
    LinearOptions chosen = options;
    chosen.threads = task.threads;
    chosen.cancel = task.cancel;
    const DesignEncoding encoding(*task.training, task.columns);
    const Target target = task.target->of(*task.training);
    const LinearModel model(encoding.apply(*task.training), target, target.rows_with_value(), chosen);
    return [encoding, model](const Table& table) { return model.predict(encoding.apply(table)); };
  };
  return {"linear model", fit, std::numeric_limits<std::size_t>::max()};
}

std::vector<std::string> feature_columns(const Schema& schema, std::string_view target) {
  std::vector<std::string> out;
  for (const Field& field : schema.fields)
    if (field.name != target && field.kind != Kind::text && field.kind != Kind::list &&
        !field.has(Role::identifier) && !field.has(Role::subject))
      out.push_back(field.name);
  return out;
}

}  // namespace synthema
