// A Python object as a token constraint: see synthema.TokenConstraint.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bindings/python_objects.hpp"
#include "synthema/model/any_token_constraint.hpp"

namespace synthema::bindings {

class PythonConstraint {
 public:
  PythonConstraint(py::object object, std::size_t vocabulary_size)
      : object_(held(std::move(object))), vocabulary_size_(vocabulary_size) {}
  PythonConstraint(const PythonConstraint& other)
      : object_(with_python([&] { return held(other.method("copy")()); })),
        vocabulary_size_(other.vocabulary_size_) {}
  PythonConstraint(PythonConstraint&&) noexcept = default;
  PythonConstraint& operator=(PythonConstraint other) noexcept {
    object_ = std::move(other.object_);
    vocabulary_size_ = other.vocabulary_size_;
    return *this;
  }
  ~PythonConstraint() = default;

  void fill_mask(TokenMask& mask) const {
    mask.clear();
    for (const TokenId id : asked()) mask.allow(id);
  }
  std::span<const TokenId> allowed() { return ids_ = asked(); }
  bool accept(TokenId id) {
    return with_python([&] { return truth("accept", method("accept")(id)); });
  }
  void rollback(std::size_t n) {
    with_python([&] { method("rollback")(n); });
  }
  bool is_complete() const {
    return with_python([&] { return truth("is_complete", method("is_complete")()); });
  }
  void reset() {
    with_python([&] { method("reset")(); });
  }

 private:
  py::object method(const char* name) const { return object_->attr(name); }
  static bool truth(const char* name, const py::object& value) {
    if (!PyBool_Check(value.ptr()))
      throw py::type_error(message("A constraint's ", name, "() gives True or False, but this one gave ",
                                   std::string(py::str(py::type::of(value).attr("__name__"))), "."));
    return value.cast<bool>();
  }
  std::vector<TokenId> asked() const {
    return with_python([&] {
      py::array_t<bool> mask(static_cast<py::ssize_t>(vocabulary_size_));
      std::fill_n(mask.mutable_data(), vocabulary_size_, false);
      method("fill_mask")(mask);
      std::vector<TokenId> ids;
      for (std::size_t id = 0; id < vocabulary_size_; ++id)
        if (mask.data()[id]) ids.push_back(static_cast<TokenId>(id));
      return ids;
    });
  }

  HeldObject object_;
  std::size_t vocabulary_size_;
  std::vector<TokenId> ids_;
};
static_assert(TokenConstraint<PythonConstraint>);

// ConfigError if the object lacks something that a constraint has.
inline PythonConstraint constraint_from(const py::object& object) {
  for (const char* name :
       {"digest", "vocabulary_size", "fill_mask", "accept", "rollback", "is_complete", "reset", "copy"})
    if (!py::hasattr(object, name))
      throw ConfigError(
          {.field = "constraint"},
          message("A constraint has digest, vocabulary_size, fill_mask, accept, rollback, "
                  "is_complete, reset and copy (see synthema.TokenConstraint), but this ",
                  std::string(py::str(py::type::of(object).attr("__name__"))), " has no ", name, "."));
  return {object, object.attr("vocabulary_size").cast<std::size_t>()};
}

}  // namespace synthema::bindings
