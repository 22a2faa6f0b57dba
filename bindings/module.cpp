// _core: everything that needs no torch.
#include "bindings/bindings.hpp"
#include "bindings/sentences.hpp"

PYBIND11_MODULE(_core, module) {
  using namespace synthema::bindings;
  module.doc() = "synthema's C++ core: tables, prompts, models, generators, evaluators, reports.";
  bind_core(module);
  bind_schema(module);
  bind_table(module);
  bind_text(module);
  bind_privacy(module);
  bind_prompt(module);
  bind_model(module);
  bind_completion_model(module);
  bind_learn(module);
  bind_generate(module);
  bind_tabular(module);
  bind_evaluate(module);
  bind_report(module);
  in_sentences(module);
}
