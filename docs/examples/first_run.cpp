#include <iostream>

#include "synthema/evaluate/text/diversity.hpp"
#include "synthema/generate/checks.hpp"
#include "synthema/generate/text_generator.hpp"
#include "synthema/model/ngram_model.hpp"

using namespace synthema;

struct PatientSentence {  // a PromptStrategy: a name, and a coroutine that asks and returns a row
  std::string_view name() const { return "patient_sentence"; }
  Exchange compose(Task task, Random) const {
    const Completion answer = co_await ask(Prompt::plain("My").until("\n"));
    co_return Draft({{"complaint", task.condition.at("complaint")}, {"text", "My " + answer.text}});
  }
};

int main() {
  try {
    NgramModel model({"My head has hurt for three days and light makes it worse.",
                      "My chest has hurt for two days and I feel tired."},
                     2);  // a toy; LocalModel of synthema::torch is a real one
    Schema complaint, row;
    complaint.fields = {{.name = "complaint"}};
    row.fields = {{.name = "complaint", .roles = {Role::label}}, {.name = "text", .nullable = false}};
    const std::vector<Record> conditions{{{"complaint", "headache"}}, {{"complaint", "chest pain"}}};

    TextGenerator generator(std::move(model), PatientSentence(), row, {length_in_words(4, 20)});
    SampleRequest request;
    request.rows = 8, request.seed = 1;
    request.conditions = std::make_shared<const Table>(Table::from_records(complaint, conditions));
    const Table table = generator.sample(request);
    const Score score = DistinctN(2).evaluate(nullptr, table, {});
    std::cout << "text: " << table.record(0).at("text").text() << "\n"
              << score.name << " = " << score.value.value() << " over " << score.n << " texts\n";
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
