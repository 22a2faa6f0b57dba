// A model's turn for a call from Python: calls of several threads wait for each other.
#pragma once

#include "bindings/python_objects.hpp"
#include "synthema/model/any_completion_model.hpp"

namespace synthema::bindings {

// Taken without the GIL, which what the model calls back needs. ModelError where this thread has the turn.
inline Turns::Turn alone_with(const AnyCompletionModel& model) {
  if (model.turns().mine())
    throw ModelError(
        "This model is at work: what a run calls (strategies, checks, conditions, progress) cannot have the "
        "same model answer. Ask in a strategy by yielding a prompt, or open a second model.");
  return Turns::Turn(model.turns(), check_interrupt);
}

}  // namespace synthema::bindings
