#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "synthema/data/digest.hpp"

using namespace synthema;

// FIPS 180-4 examples (NIST "SHA256.pdf") and the long-message vector of a million 'a'.
TEST_CASE("sha256 gives the published values") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256 does not depend on how the bytes are cut") {
  const std::string text(300, 'x');
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    CHECK(Sha256().update(text.substr(0, cut)).update(text.substr(cut)).hex() == sha256_hex(text));
  CHECK(Sha256().field("ab").field("c").hex() != Sha256().field("a").field("bc").hex());
}

// RFC 4231, test cases 1, 2, 3, 6 and 7.
TEST_CASE("hmac gives the published values") {
  CHECK(hmac_sha256_hex(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac_sha256_hex(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(hmac_sha256_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hmac_sha256_hex(
            std::string(131, '\xaa'),
            "This is a test using a larger than block-size key and a larger than block-size data. The "
            "key needs to be hashed before being used by the HMAC algorithm.") ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("a file's digest is that of its bytes, and a missing file is named") {
  const auto path = std::filesystem::temp_directory_path() / "synthema_test_digest.bin";
  std::ofstream(path, std::ios::binary) << std::string(3'000'000, 'q');
  CHECK(file_sha256_hex(path.string()) == sha256_hex(std::string(3'000'000, 'q')));
  std::filesystem::remove(path);
  CHECK_THROWS_WITH_AS(file_sha256_hex(path.string()), doctest::Contains("synthema_test_digest.bin"), Error);
}

namespace {

Table small(std::vector<Record> records) {
  Schema schema;
  schema.fields = {{.name = "n", .kind = Kind::integer},
                   {.name = "sex", .kind = Kind::category},
                   {.name = "note", .kind = Kind::text},
                   {.name = "codes", .kind = Kind::list}};
  return Table::from_records(schema, records);
}

const Record kA{{"n", 1}, {"sex", "f"}, {"note", "ab"}, {"codes", ValueList{"x", "y"}}};
const Record kB{{"n", 2}, {"sex", "m"}, {"note", "c"}, {"codes", ValueList{}}};

}  // namespace

TEST_CASE("the content digest sees contents, not layout") {
  const Table whole = small({kA, kB, {}});
  const Table other = small({kB, {}, kA});  // labels numbered the other way round
  CHECK(content_digest(other.take(std::vector<std::size_t>{2, 0, 1})) == content_digest(whole));
  CHECK(content_digest(small({kB, kA, kB}).take(std::vector<std::size_t>{1})) == content_digest(small({kA})));
}

TEST_CASE("the content digest changes with every part of the contents") {
  const std::string base = content_digest(small({kA, kB}));
  CHECK(content_digest(small({kB, kA})) != base);
  CHECK(content_digest(small({kA})) != base);
  for (const auto& [name, value] :
       Record{{"n", 3}, {"sex", "m"}, {"note", "a"}, {"codes", ValueList{"xy"}}, {"n", {}}}) {
    Record changed = kA;
    changed.set(name, value);
    CHECK_MESSAGE(content_digest(small({changed, kB})) != base, name);
  }
  CHECK(content_digest(small({kA, kB}), "secret") != base);
  CHECK(content_digest(small({kA, kB}), "secret") != content_digest(small({kA, kB}), "other"));
}
