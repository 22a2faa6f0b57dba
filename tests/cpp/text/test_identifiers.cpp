#include <doctest/doctest.h>

#include "synthema/text/identifiers.hpp"

using namespace synthema;

namespace {

// "kind: what it says" of each identifier.
std::vector<std::string> found(std::string_view text) {
  std::vector<std::string> out;
  for (const Identifier& one : find_identifiers(text))
    out.push_back(one.kind + ": " + std::string(text.substr(one.begin, one.end - one.begin)));
  return out;
}
using List = std::vector<std::string>;

}  // namespace

TEST_CASE("forms of identifiers") {
  CHECK(found("Dr. Anna Smith saw him") == List{"name: Anna Smith"});
  CHECK(found("Patient: Jane Q. Doe, MRN 12345678") == List{"name: Jane Q. Doe", "number: 12345678"});
  CHECK(found("on 12/03/2020, 2020-01-02 and March 3, 2021") ==
        List{"date: 12/03/2020", "date: 2020-01-02", "date: March 3, 2021"});
  CHECK(found("am 12. März 2020 in der Goethestraße 5 bei Frau Öztürk") ==
        List{"date: 12. März 2020", "address: Goethestraße 5"});
  CHECK(found("call (555) 123-4567 or +49 30 1234567") ==
        List{"phone: (555) 123-4567", "phone: +49 30 1234567"});
  CHECK(found("write to a.b+c@mail.example.org.") == List{"email: a.b+c@mail.example.org"});
  CHECK(found("see https://x.org/a, at 12 North Main Street") ==
        List{"url: https://x.org/a", "address: 12 North Main Street"});
}

TEST_CASE("clinical numbers and words are none") {
  CHECK(found("BP 120/80, temp 98.6, 5 mg 3 times, 10-15 years, 1.5-2.0, HbA1c 6.5 %") == List{});
  CHECK(found("The doctor said she may 5 times a day. Mr and so on; name: none") == List{});
  CHECK(found("") == List{});
  CHECK(found("@ (((( +++ 1/ 12/ www http:// Dr. ") == List{});
}
