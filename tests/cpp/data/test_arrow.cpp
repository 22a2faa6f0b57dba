#include <doctest/doctest.h>

#include <array>
#include <string>

#include "synthema/data/arrow.hpp"
#include "synthema/data/digest.hpp"

using namespace synthema;

namespace {

Table example() {
  Schema schema;
  schema.name = "example";
  schema.fields = {{.name = "i", .kind = Kind::integer},
                   {.name = "x", .kind = Kind::real},
                   {.name = "b", .kind = Kind::boolean},
                   {.name = "c", .kind = Kind::category},
                   {.name = "t", .kind = Kind::text},
                   {.name = "w", .kind = Kind::time},
                   {.name = "l", .kind = Kind::list, .item = Kind::real}};
  return Table::from_records(schema, std::vector<Record>{{{"i", 1},
                                                          {"x", 0.5},
                                                          {"b", true},
                                                          {"c", "u"},
                                                          {"t", "some text"},
                                                          {"w", Timestamp{5}},
                                                          {"l", ValueList{1.5, Value{}}}},
                                                         {},
                                                         {{"i", 2},
                                                          {"x", 1.5},
                                                          {"b", false},
                                                          {"c", "v"},
                                                          {"t", ""},
                                                          {"w", Timestamp{6}},
                                                          {"l", ValueList{}}}});
}

Table through_stream(const Table& table) {
  ArrowArrayStream stream{};
  export_arrow(table, &stream);
  Table out = table_from_arrow(&stream);
  CHECK(stream.release == nullptr);  // ownership has moved
  return out;
}

// A table of one int64 column made by hand, as a foreign producer would.
struct ByHand {
  std::array<std::int64_t, 4> values{10, 11, 12, 13};
  std::uint8_t validity = 0b1011;
  std::array<const void*, 2> buffers{&validity, values.data()};
  std::array<const void*, 1> no_buffers{nullptr};
  ArrowArray child{}, parent{};
  ArrowSchema child_type{}, type{};
  std::array<ArrowArray*, 1> children{&child};
  std::array<ArrowSchema*, 1> child_types{&child_type};
  int released = 0;

  ByHand() {
    child = {.length = 4,
             .null_count = -1,
             .offset = 0,
             .n_buffers = 2,
             .n_children = 0,
             .buffers = buffers.data(),
             .children = nullptr,
             .dictionary = nullptr,
             .release = [](ArrowArray* a) { a->release = nullptr; },
             .private_data = nullptr};
    parent = {.length = 4,
              .null_count = 0,
              .offset = 0,
              .n_buffers = 1,
              .n_children = 1,
              .buffers = no_buffers.data(),
              .children = children.data(),
              .dictionary = nullptr,
              .release = [](ArrowArray* a) { ++*static_cast<int*>(a->private_data), a->release = nullptr; },
              .private_data = &released};
    child_type = {.format = "l",
                  .name = "n",
                  .metadata = nullptr,
                  .flags = ARROW_FLAG_NULLABLE,
                  .n_children = 0,
                  .children = nullptr,
                  .dictionary = nullptr,
                  .release = [](ArrowSchema* s) { s->release = nullptr; },
                  .private_data = nullptr};
    type = {.format = "+s",
            .name = "",
            .metadata = nullptr,
            .flags = 0,
            .n_children = 1,
            .children = child_types.data(),
            .dictionary = nullptr,
            .release = [](ArrowSchema* s) { ++*static_cast<int*>(s->private_data), s->release = nullptr; },
            .private_data = &released};
  }
  Table import() { return table_from_arrow(&type, &parent); }
};

}  // namespace

TEST_CASE("a table survives the stream, schema included, without copying its numbers") {
  const Table table = example();
  const Table back = through_stream(table);
  CHECK(back.schema() == table.schema());
  CHECK(content_digest(back) == content_digest(table));
  CHECK(back.column("x").reals().data() == table.column("x").reals().data());
  CHECK(back.column("w").integers().data() == table.column("w").integers().data());
  CHECK(content_digest(through_stream(Table())) == content_digest(Table()));
  CHECK(content_digest(through_stream(table.head(0))) == content_digest(table.head(0)));
}

TEST_CASE("a foreign array is taken over and released once nothing needs it") {
  ByHand source;
  {
    const Table table = source.import();
    CHECK(table.column("n").integers().data() == source.values.data());
    CHECK(table.column("n").null_count() == 1);
    CHECK(table.column("n").is_null(2));
    CHECK(source.released == 1);  // the type only
  }
  CHECK(source.released == 2);
}

TEST_CASE("offsets of parent and child add up, and an offset bitmap is moved on the way out") {
  ByHand source;
  source.child.length = 3, source.child.offset = 1;
  source.parent.length = 2, source.parent.offset = 1;
  const Table table = source.import();
  CHECK(table.rows() == 2);
  CHECK(table.column(0).is_null(0));
  CHECK(table.column(0).value_at(1) == Value(13));
  CHECK(content_digest(through_stream(table)) == content_digest(table));
}

TEST_CASE("malformed arrays are refused and still released") {
  const auto refused = [](auto spoil) {
    ByHand source;
    spoil(source);
    CHECK_THROWS_AS(source.import(), SchemaError);
    CHECK(source.released == 2);
  };
  refused([](ByHand& s) { s.type.format = "l"; });
  refused([](ByHand& s) { s.parent.n_children = 0; });
  refused([](ByHand& s) { s.parent.null_count = 1; });
  refused([](ByHand& s) { s.child.n_buffers = 1; });
  refused([](ByHand& s) { s.child.offset = -1; });
  refused([](ByHand& s) { s.parent.length = 5; });  // longer than its child
  refused([](ByHand& s) { s.child_type.format = "z"; });
  refused([](ByHand& s) { s.child_type.format = "+r"; });
  refused([](ByHand& s) { s.child_type.format = "+l"; });
  refused([](ByHand& s) { s.child_type.name = ""; });
  refused([](ByHand& s) { s.child_type.name = "\xff"; });
  ByHand consumed;
  (void)consumed.import();
  CHECK_THROWS_AS(consumed.import(), SchemaError);
}

TEST_CASE("children that the receiver moved away are not released twice") {
  ArrowArray array{};
  export_arrow(example(), &array);
  ArrowArray moved = *array.children[4];
  array.children[4]->release = nullptr;
  array.release(&array);
  CHECK(array.release == nullptr);
  CHECK(std::string(static_cast<const char*>(moved.buffers[2]), 9) == "some text");
  moved.release(&moved);
}
