"""The package without torch: tables, evaluators and the report work, and a model says what is missing."""

import sys

import synthema

assert "torch" not in sys.modules
table = synthema.table(
    {"text": ["She has had a dull headache for two days.", "He sleeps badly since spring."]}
)
report = synthema.evaluate(table, bootstrap=50)
assert len(report.scores) > 5, report
try:
    synthema.Model("nothing.gguf")
    said = ""
except ImportError as error:
    said = str(error)
assert "torch" in said, "a model without torch must be an ImportError that says so"
print("core install: tables, evaluators and report work without torch")
