// Usage: consumer MODEL_FILE. Prints the greedy continuation of one plain prompt.
#include <iostream>

#include "synthema/torch/local_model.hpp"

int main(int argc, char** argv) {
  using namespace synthema;
  if (argc != 2) return 2;
  try {
    LocalModel model = LocalModel::load(argv[1]);
    Sampling greedy;
    greedy.temperature = 0;
    greedy.max_tokens = 12;
    model.submit({CompletionRequest(1, Prompt::plain("The patient has a history of"), greedy, Random(0))});
    std::vector<FinishedCompletion> finished;
    while (finished.empty()) finished = model.poll();
    std::cout << finished.front().completion.text << "\n";
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
