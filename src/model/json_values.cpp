#include "src/model/json_values.hpp"

#include <algorithm>
#include <set>

#include "src/model/json_scalars.hpp"
#include "src/model/json_text.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kMostReferences = 20'000;  // unrolled
constexpr std::size_t kMostCompared = 200'000;   // pairs of states, to tell alternatives apart

}  // namespace

// A value that is not left out: it must have an end.
Expression JsonValues::whole(const Json& json, const std::string& path) {
  const Expression out = value(json, path);
  if (out == Expressions::kNothing)
    throw ConfigError(
        {.field = endless_},
        "The JSON Schema refers to itself here and leaves no way to end; make the reference optional, one "
        "alternative of 'anyOf', or the 'items' of a list that may be empty.");
  return out;
}

// kNothing only where a reference to itself is unrolled no further: then cut_ is set.
Expression JsonValues::value(const Json& json, const std::string& path) {
  Keywords in(json, path);
  const bool cut_before = std::exchange(cut_, false);
  const Expression out = read(in);
  in.no_others();
  if (out == Expressions::kNothing && !cut_)
    in.refuse(
        message("allows no value here (an empty range or length, no alternative, or only numbers beyond ",
                kLargestReal, ", integers beyond ", kLargestInteger, ")"));
  cut_ |= cut_before;
  return out;
}

Expression JsonValues::read(Keywords& in) {
  in.find("type");  // beside const and enum it only says again what they are
  if (const Json* to = in.find("$ref")) return reference(*to, in);
  if (const Json* constant = in.find("const"))
    return labels_text(pool_, enumerated(Json::array({*constant}), in, "const"));
  if (const Json* listed = in.find("enum")) return labels_text(pool_, enumerated(*listed, in));
  if (const Json* any = in.find("anyOf")) return pool_.either(alternatives(*any, in, "anyOf"));
  if (const Json* one = in.find("oneOf")) return exactly_one(*one, in);
  if (const Json* all = in.find("allOf")) return single(*all, in);
  return typed(in);
}

// --- references

const Json& JsonValues::target(const std::string& name, const Keywords& in) const {
  try {
    if (name.starts_with('#')) return root_.at(Json::json_pointer(name.substr(1)));
  } catch (const Json::exception&) {  // no such place
  }
  in.refuse("has a '$ref' to '" + name + "', which is no place in it");
}

Expression JsonValues::reference(const Json& to, const Keywords& in) {
  const std::string name = to.is_string() ? to.get<std::string>() : std::string();
  const Json& schema = target(name, in);
  const std::string called = name + ' ' + tag_;
  const auto here = std::pair(called, under_way_);
  for (const auto& key : {std::pair(called, decltype(under_way_)()), here})
    if (const auto known = unrolled_.find(key); known != unrolled_.end()) {
      cut_ |= known->second.cut;
      return known->second.text;
    }
  if (under_way_.size() >= kDeepestReferences || unrolled_.size() >= kMostReferences)
    in.refuse("follows too many references from one definition to the next; use fewer of them");
  const auto times = under_way_.find(name);
  if (times != under_way_.end() && times->second > kDeepestNesting) {
    endless_ = in.path();
    cut_ = true;
    return Expressions::kNothing;
  }
  ++under_way_[name];
  const bool cut_before = std::exchange(cut_, false);
  const Expression out = value(schema, name);
  under_way_ = here.second;
  // What never comes to itself is the same wherever it stands.
  unrolled_.emplace(cut_ ? here : std::pair(called, decltype(under_way_)()), Unrolled{out, cut_});
  cut_ |= cut_before;
  return out;
}

// --- values of any type

// Where pydantic tells alternatives apart by a key, it must be written even if it has a default.
std::vector<Expression> JsonValues::alternatives(const Json& listed, Keywords& in, const char* name) {
  const Json* discriminator = in.find("discriminator");
  const Json key =
      discriminator && discriminator->is_object() ? discriminator->value("propertyName", Json()) : Json();
  std::vector<Expression> parts;
  in.need_list(listed, name);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    tag_ = key.is_string() ? key.get<std::string>() : "";
    parts.push_back(value(listed[i], message(in.path(), "/", name, "/", i)));
    tag_.clear();
  }
  return parts;
}

// What a schema is after its references.
const Json& JsonValues::followed(const Json& json) const {
  const Json* at = &json;
  for (std::size_t i = 0; i < kDeepestReferences && at->is_object(); ++i) {
    if (const auto to = at->find("$ref"); to != at->end() && to->is_string())
      at = &target(to->get<std::string>(), Keywords(*at, "#"));
    else if (const auto all = at->find("allOf"); all != at->end() && all->is_array() && all->size() == 1)
      at = &all->front();
    else
      break;
  }
  return *at;
}

namespace {

const Json* part_of(const Json& schema, const char* name) {
  const auto found = schema.find(name);
  return found == schema.end() ? nullptr : &*found;
}

const Json* parts_of(const Json& schema) {
  const Json* any = part_of(schema, "anyOf");
  return any ? any : part_of(schema, "oneOf");
}

// The schema of the element at a place; nothing where any element may stand.
const Json* element_of(const Json& list, std::size_t place) {
  const Json *first = part_of(list, "prefixItems"), *items = part_of(list, "items");
  if (first && place < first->size()) return &(*first)[place];
  return items && items->is_object() ? items : nullptr;
}

std::size_t places_of(const Json& list) {
  const Json* first = part_of(list, "prefixItems");
  return first ? first->size() : 0;
}

}  // namespace

// The texts that a value of `own`, in its spelling, may have to fit `other` too (or more texts than these):
// objects may have keys, and tuples elements, that `other` does not name where it is open.
Expression JsonValues::fitting_too(const Json& own, const Json& other, const std::string& path) {
  const Json &mine = followed(own), &theirs = followed(other);
  const auto [known, is_new] = compared_.try_emplace({&mine, &theirs}, Expressions::kNothing);
  if (!is_new) return known->second;
  known->second = value(own, path);  // within itself: whatever it may be
  std::vector<Expression> found{value(other, path)};
  if (const Json* parts = parts_of(theirs))
    for (const Json& part : *parts) found.push_back(fitting_too(own, part, path));
  else if (const Json* mine_too = parts_of(mine))
    for (const Json& part : *mine_too) found.push_back(fitting_too(part, other, path));
  else if (mine.contains("properties") && theirs.contains("properties"))
    found.push_back(object_fitting_too(mine, theirs, path));
  else if ((mine.contains("items") || mine.contains("prefixItems")) &&
           (theirs.contains("items") || theirs.contains("prefixItems")))
    found.push_back(list_fitting_too(mine, theirs, path));
  return compared_[{&mine, &theirs}] = pool_.either(std::move(found));
}

Expression JsonValues::object_fitting_too(const Json& own, const Json& other, const std::string& path) {
  const Json &names = own["properties"], &theirs = other["properties"];
  const Json required = other.value("required", Json::array());
  const Json* more = part_of(other, "additionalProperties");
  for (const Json& name : required)
    if (!names.contains(name.get<std::string>())) return Expressions::kNothing;
  std::vector<Member> members;
  for (const auto& [name, schema] : names.items()) {
    const bool is_named = theirs.contains(name);
    if (!is_named && more && *more == false) continue;
    const Json* read = is_named ? &theirs[name] : more && more->is_object() ? more : nullptr;
    add_member(members, json_quoted(name), read ? fitting_too(schema, *read, path) : value(schema, path),
               std::ranges::find(required, Json(name)) != required.end());
  }
  return members_text(pool_, members, 0, Expressions::kUnbounded, "{", "}");
}

Expression JsonValues::list_fitting_too(const Json& own, const Json& other, const std::string& path) {
  const auto element = [&](std::size_t place) {
    const Json *mine = element_of(own, place), *theirs = element_of(other, place);
    if (!mine) return Expressions::kNothing;
    return theirs ? fitting_too(*mine, *theirs, path) : value(*mine, path);
  };
  const auto places = static_cast<std::uint32_t>(std::max(places_of(own), places_of(other)));
  const auto least = other.value("minItems", std::uint32_t{0});
  auto most = other.value("maxItems", Expressions::kUnbounded);
  if (const Json* items = part_of(other, "items"); items && *items == false)
    most = std::min(most, static_cast<std::uint32_t>(places_of(other)));
  if (places == 0) return list_text(pool_, element(0), least, most);
  const Expression comma = pool_.literal(", "), end = pool_.literal("]");
  const std::uint32_t further = most == Expressions::kUnbounded ? most : most - std::min(most, places);
  Expression rest = pool_.sequence(pool_.repeat(pool_.sequence(comma, element(places)), 0, further), end);
  for (std::uint32_t i = places; i-- > 0;) {
    const Expression with = pool_.sequence({i == 0 ? Expressions::kEmpty : comma, element(i), rest});
    rest = pool_.either({i >= least ? end : Expressions::kNothing, i < most ? with : Expressions::kNothing});
  }
  return pool_.sequence(pool_.literal("["), rest);
}

// A value must fit one alternative only. Masks go by the union, so no two may have a text in common, nor may
// an object of one fit the other with its keys among those that the other does not name.
Expression JsonValues::exactly_one(const Json& listed, Keywords& in) {
  const std::vector<Expression> parts = alternatives(listed, in, "oneOf");
  const std::string path = in.path() + "/oneOf";
  const auto apart = [&](std::size_t a, std::size_t b) {
    return pool_.exclude(parts[a], parts[b], kMostCompared) &&
           pool_.exclude(parts[a], fitting_too(listed[a], listed[b], path), kMostCompared) &&
           pool_.exclude(parts[b], fitting_too(listed[b], listed[a], path), kMostCompared);
  };
  for (std::size_t a = 0; a < parts.size(); ++a)
    for (std::size_t b = a + 1; b < parts.size(); ++b)
      if (!apart(a, b))
        in.refuse_keyword("oneOf", message("has the alternatives ", a, " and ", b,
                                           ", which the same value may fit; tell them apart by a key with a "
                                           "'const', or write 'anyOf'"));
  return pool_.either(parts);
}

Expression JsonValues::single(const Json& all, const Keywords& in) {
  in.need_list(all, "allOf");
  if (all.size() != 1)
    in.refuse_keyword("allOf", "has an 'allOf' of several parts; masks support one part only");
  return value(all[0], in.path() + "/allOf/0");
}

Expression JsonValues::typed(Keywords& in) {
  const Json* type = in.find("type");
  if (!type)
    in.refuse(
        "has no 'type' (nor enum, const, anyOf, oneOf, $ref): any value at all cannot be masked; give it a "
        "type");
  if (type->is_string()) return of_type(type->get<std::string>(), in);
  in.need_list(*type, "type");
  std::vector<Expression> parts;
  for (const Json& one : *type) parts.push_back(of_type(one.is_string() ? one.get<std::string>() : "", in));
  return pool_.either(std::move(parts));
}

Expression JsonValues::of_type(const std::string& type, Keywords& in) {
  if (type == "object") return object(in);
  if (type == "array") return array(in);
  if (type == "string") return string_value(pool_, in);
  if (type == "integer") return number_value(pool_, in, false);
  if (type == "number") return number_value(pool_, in, true);
  if (type == "boolean") return boolean_text(pool_);
  if (type == "null") return pool_.literal("null");
  in.refuse("has the type '" + type +
            "'; known are object, array, string, integer, number, boolean and null");
}

// The values of a schema that has few of them and lists them; nothing if it does not.
std::optional<std::vector<std::string>> JsonValues::labels(const Json& json, std::size_t followed) {
  if (!json.is_object() || followed > kDeepestReferences) return std::nullopt;
  if (const auto to = json.find("$ref"); to != json.end() && to->is_string())
    return labels(target(to->get<std::string>(), Keywords(json, "#")), followed + 1);
  if (const auto constant = json.find("const"); constant != json.end()) return std::vector{spelt(*constant)};
  if (const auto listed = json.find("enum"); listed != json.end() && listed->is_array()) {
    std::vector<std::string> out;
    for (const Json& one : *listed) out.push_back(spelt(one));
    return out;
  }
  if (json.value("type", Json()) == "boolean") return std::vector<std::string>{"false", "true"};
  return std::nullopt;
}

// --- objects

Expression JsonValues::object(Keywords& in) {
  static const Json none = Json::object(), nobody = Json::array();
  const std::string tag = std::exchange(tag_, {});
  const Json* properties = in.find("properties");
  const Json* required = in.find("required");
  const Json* more = in.find("additionalProperties");
  const bool keyed = more && more->is_object();
  const std::uint32_t least = in.count("minProperties").value_or(0),
                      most = in.count("maxProperties").value_or(Expressions::kUnbounded);
  if (!properties && !keyed) {
    in.no_others();
    in.refuse("has an object without 'properties'; say which keys it has, and of which type");
  }
  if (!properties) properties = &none;
  if (!required) required = &nobody;
  if (!properties->is_object() || !required->is_array())
    in.refuse("has 'properties' or 'required' of a wrong type");
  std::vector<Member> members;
  for (const auto& [name, schema] : properties->items())
    add_member(members, json_quoted(name), value(schema, in.path() + "/properties/" + name),
               name == tag || std::ranges::find(*required, Json(name)) != required->end());
  if (keyed) add_keyed(members, *more, *required, in);
  for (const Json& name : *required)
    if (!name.is_string() || !(properties->contains(name.get<std::string>()) || keyed))
      in.refuse("requires a key that is not among its 'properties'");
  return members_text(pool_, members, least, most, "{", "}");
}

// A key whose value cannot be written (a reference that is unrolled no further) is left out.
void JsonValues::add_member(std::vector<Member>& members, const std::string& key, Expression value,
                            bool required) {
  if (value == Expressions::kNothing && !required) return;
  members.push_back({pool_.sequence(pool_.literal(key + ": "), value), required});
}

// A dict: keys of an enumeration, so that none is written twice.
void JsonValues::add_keyed(std::vector<Member>& members, const Json& more, const Json& required,
                           Keywords& in) {
  const Json* names = in.find("propertyNames");
  if (names) value(*names, in.path() + "/propertyNames");  // refuses what is wrong with it
  const auto keys = names ? labels(*names) : std::nullopt;
  if (!keys)
    in.refuse_keyword("additionalProperties",
                      "has keys of any name, which masks cannot keep apart; say which keys there are "
                      "('propertyNames' with "
                      "an 'enum', as of dict[Literal['a', 'b'], int]), or use a list of objects");
  const Expression written = value(more, in.path() + "/additionalProperties");
  for (const std::string& key : *keys)
    if (key.starts_with('"'))
      add_member(members, key, written,
                 std::ranges::any_of(required, [&](const Json& name) { return spelt(name) == key; }));
}

// --- lists

Expression JsonValues::array(Keywords& in) {
  const auto least = in.count("minItems").value_or(0),
             given = in.count("maxItems").value_or(Expressions::kUnbounded);
  const Json* items = in.find("items");
  const Json* unique = in.find("uniqueItems");
  if (const Json* first = in.find("prefixItems"); first && !first->empty())
    return tuple(*first, items, least, given, unique, in);
  if (given == 0) return least == 0 ? pool_.literal("[]") : Expressions::kNothing;
  if (!items) in.refuse("has an array without 'items'; say what its elements are");
  if (least > given) return Expressions::kNothing;
  if (unique && *unique == true) return set(*items, least, given, in);
  const std::uint32_t most = std::min(given, std::max(least, kLongestList));
  return list_text(pool_, value(*items, in.path() + "/items"), least, in.find("maxItems") ? given : most);
}

// Elements by place, then any number of `items` (none if it is absent).
Expression JsonValues::tuple(const Json& first, const Json* items, std::uint32_t least, std::uint32_t most,
                             const Json* unique, const Keywords& in) {
  if (!first.is_array()) in.refuse_keyword("prefixItems", "has 'prefixItems' that are no list");
  if (unique && *unique == true)
    in.refuse_keyword(
        "uniqueItems",
        "has a tuple of different elements, which masks cannot keep apart; remove 'uniqueItems'");
  const auto size = static_cast<std::uint32_t>(first.size());
  const bool more = items && items->is_object() && most > size;
  // From the last place to the first: what follows there.
  Expression rest = pool_.literal("]");
  if (more) {
    const Expression item = value(*items, in.path() + "/items");
    const std::uint32_t longest =
        most == Expressions::kUnbounded ? std::max(least, size + kLongestList) : most;
    rest = pool_.sequence(pool_.repeat(pool_.sequence(pool_.literal(", "), item),
                                       least > size ? least - size : 0, longest - size),
                          rest);
  } else if (least > size) {
    return Expressions::kNothing;
  }
  for (std::uint32_t i = size; i-- > 0;) {
    const Expression item = value(first[i], message(in.path(), "/prefixItems/", i));
    const Expression with = pool_.sequence({pool_.literal(i == 0 ? "" : ", "), item, rest});
    const Expression end = i >= least ? pool_.literal("]") : Expressions::kNothing;
    rest = i >= most ? end : pool_.either({end, with});
  }
  return pool_.sequence(pool_.literal("["), rest);
}

// Different elements, in the order of their enumeration.
Expression JsonValues::set(const Json& items, std::uint32_t least, std::uint32_t most, const Keywords& in) {
  value(items, in.path() + "/items");  // refuses what is wrong with it
  const auto listed = labels(items);
  if (!listed)
    in.refuse_keyword("uniqueItems",
                      "has different elements of any value, which masks cannot keep apart; let 'items' list "
                      "them ('enum'), or remove 'uniqueItems'");
  std::vector<Member> members;
  std::set<std::string> seen;
  for (const std::string& text : *listed)
    if (seen.insert(text).second) members.push_back({pool_.literal(text)});
  return members_text(pool_, members, least, most, "[", "]");
}

}  // namespace synthema::detail
