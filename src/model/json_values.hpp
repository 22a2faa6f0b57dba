// The values of a JSON Schema of any type: references, alternatives, objects and lists.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/model/expressions.hpp"
#include "src/model/json_keywords.hpp"
#include "src/model/json_schema.hpp"
#include "src/model/json_text.hpp"

namespace synthema::detail {

inline constexpr std::size_t kDeepestReferences = 100;  // different ones, each inside the one before

class JsonValues {
 public:
  // `root`: where references lead; it must outlive this.
  JsonValues(Expressions& pool, const Json& root) : pool_(pool), root_(root) {}

  // A value that is not left out: it must have an end.
  Expression whole(const Json& json, const std::string& path);
  // What a reference leads to.
  const Json& target(const std::string& name, const Keywords& in) const;

 private:
  Expression value(const Json& json, const std::string& path);
  Expression read(Keywords& in);
  Expression reference(const Json& to, const Keywords& in);
  std::vector<Expression> alternatives(const Json& listed, Keywords& in, const char* name);
  Expression exactly_one(const Json& listed, Keywords& in);
  const Json& followed(const Json& json) const;
  Expression fitting_too(const Json& own, const Json& other, const std::string& path);
  Expression object_fitting_too(const Json& own, const Json& other, const std::string& path);
  Expression list_fitting_too(const Json& own, const Json& other, const std::string& path);
  Expression single(const Json& all, const Keywords& in);
  Expression typed(Keywords& in);
  Expression of_type(const std::string& type, Keywords& in);
  std::optional<std::vector<std::string>> labels(const Json& json, std::size_t followed = 0);
  Expression object(Keywords& in);
  void add_member(std::vector<Member>& members, const std::string& key, Expression value, bool required);
  void add_keyed(std::vector<Member>& members, const Json& more, const Json& required, Keywords& in);
  Expression array(Keywords& in);
  Expression tuple(const Json& first, const Json* items, std::uint32_t least, std::uint32_t most,
                   const Json* unique, const Keywords& in);
  Expression set(const Json& items, std::uint32_t least, std::uint32_t most, const Keywords& in);

  struct Unrolled {
    Expression text;
    bool cut;
  };
  Expressions& pool_;
  const Json& root_;
  std::map<std::string, unsigned> under_way_;  // how often each reference is being followed
  std::map<std::pair<std::string, std::map<std::string, unsigned>>, Unrolled> unrolled_;
  std::map<std::pair<const Json*, const Json*>, Expression> compared_;  // see fitting_too()
  std::string tag_;      // the key that tells the next object from other alternatives
  bool cut_ = false;     // a reference was not followed, for it was followed often enough
  std::string endless_;  // where
};

}  // namespace synthema::detail
