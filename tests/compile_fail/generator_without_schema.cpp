// expect: Generator
#include "synthema/generate/any_generator.hpp"

struct Nothing {
  std::string_view name() const { return "nothing"; }
#ifndef MISTAKE
  const synthema::Schema& schema() const { return schema_; }
#endif
  synthema::Table sample(const synthema::SampleRequest&) { return {}; }
  synthema::Schema schema_;
};

synthema::AnyGenerator generator = Nothing{};

int main() {}
