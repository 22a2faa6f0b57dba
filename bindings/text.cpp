#include "bindings/bindings.hpp"
#include "synthema/text/bm25.hpp"
#include "synthema/text/phrase_index.hpp"
#include "synthema/text/porter.hpp"
#include "synthema/text/tf_idf.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema::bindings {

namespace {

using Texts = std::vector<std::string>;

py::list pairs(const std::vector<Hit>& hits) {
  py::list out;
  for (const Hit& hit : hits) out.append(py::make_tuple(hit.document, hit.score));
  return out;
}

template <class Index>
void bind_search(py::class_<Index>& type) {
  type.def(
          "search",
          [](const Index& self, const std::string& query, std::size_t k) {
            return pairs(self.search(query, k));
          },
          py::arg("query"), py::arg("k") = 10,
          "Pairs (document, score) of positive score, best first, equal scores by number; k = 0 gives all.")
      .def(
          "rank_of",
          [](const Index& self, const std::string& query, std::size_t document) {
            return self.rank_of(query, document);
          },
          py::arg("query"), py::arg("document"),
          "The 1-based place of a document for this query, or None if it scores zero.")
      .def("__len__", &Index::documents);
}

void bind_retrieval(py::module_& module) {
  py::class_<TfIdf> tf_idf(
      module, "TfIdf",
      R"(TF-IDF vectors and cosine search; weights of scikit-learn's TfidfVectorizer over `words`.

Parameters
----------
documents : list of str
    What is searched, and what the weights are counted on.
sublinear_tf : bool
    1 + ln(count) in place of the count.
smooth_idf : bool
    ln((1 + N) / (1 + df)) + 1; else ln(N / df) + 1.
)");
  tf_idf
      .def(py::init([](const Texts& documents, bool sublinear_tf, bool smooth_idf) {
             return TfIdf::fit(documents, {.sublinear_tf = sublinear_tf, .smooth_idf = smooth_idf});
           }),
           py::arg("documents"), py::kw_only(), py::arg("sublinear_tf") = false, py::arg("smooth_idf") = true)
      .def(
          "vector",
          [](const TfIdf& self, const std::string& text, const Texts& vocabulary) {
            std::vector<double> out(vocabulary.size(), 0.0);
            const SparseVector vector = self.vector(text);
            for (std::size_t i = 0; i < vocabulary.size(); ++i)
              if (const auto word = self.vocabulary().find(vocabulary[i]))
                out[i] = dot(vector, {{*word, 1.0}});
            return out;
          },
          py::arg("text"), py::arg("vocabulary"), "The unit vector of a text, as weights of these words.");
  bind_search(tf_idf);

  py::class_<Bm25> bm25(module, "Bm25", R"(Okapi BM25 search with a never negative idf.

Parameters
----------
documents : list of str
    What is searched.
k1, b : float
    Saturation of the word count, and how much the length of a document matters (0 to 1).
)");
  bm25.def(py::init([](const Texts& documents, double k1, double b) {
             return Bm25::fit(documents, {.k1 = k1, .b = b});
           }),
           py::arg("documents"), py::kw_only(), py::arg("k1") = 1.2, py::arg("b") = 0.75);
  bind_search(bm25);
}

}  // namespace

void bind_text(py::module_& module) {
  module.def("words", &words, py::arg("text"), "The lower-cased runs of letters and digits of a text.");
  module.def("sentence_count", &sentence_count, py::arg("text"), "How many sentences a text has.");
  module.def("porter_stem", &porter_stem, py::arg("word"),
             "The Porter stem of a lower-case English word, with NLTK's changes.");
  module.def(
      "longest_common_run",
      [](const std::string& a, const std::string& b) { return longest_common_run(words(a), words(b)); },
      py::arg("a"), py::arg("b"), "How many words in a row two texts share at most.");
  bind_retrieval(module);
}

}  // namespace synthema::bindings
