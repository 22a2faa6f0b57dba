import synthema
from synthema import Prompt

seeds = [
    "My head has hurt for three days and light makes it worse.",
    "My chest has hurt for two days and I feel tired.",
    "My knee has hurt for a week and it is worse at night.",
]
complaints = synthema.table({"complaint": ["headache", "chest pain", "knee pain"]})


@synthema.strategy
def sentence(task, rng):
    answer = yield Prompt.plain("My").until("\n")
    return {"complaint": task["complaint"], "text": "My " + answer.text}


model = synthema.ngram_model(seeds, order=2)  # a toy; synthema.Model("model.gguf") is a real one
checks = [synthema.length_in_words(6, 20), synthema.ends_with_punctuation()]
run = synthema.generate(sentence, model, rows=12, conditions=complaints, checks=checks, seed=1)
report = synthema.evaluate(run.rows, exemplars={"text": seeds})
print(len(run.rows), "rows,", len(run.rejected), "rejected drafts")
print(report)
