#include "engine/model/safetensors.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <utility>

#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"

namespace vgg19::model {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

std::string length_field(std::uint64_t length) {
    std::string field;
    for (unsigned shift = 0; shift < 64; shift += 8) field += static_cast<char>((length >> shift) & 0xFFU);
    return field;
}

/// Padded with spaces, so that the data start at a multiple of 8 bytes.
std::string file_text(std::string header, std::size_t data_bytes) {
    header.resize((header.size() + 7) / 8 * 8, ' ');
    return length_field(header.size()) + header + std::string(data_bytes, '\1');
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

std::string one_tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":)" + entry(dtype, shape, offsets) + "}";
}

std::string two_tensors(const std::string& a, const std::string& b) {
    return R"({"a":)" + a + R"(,"b":)" + b + "}";
}

std::string dimensions(int count) {
    std::string shape = "[1";
    while (--count > 0) shape += ",1";
    return shape + "]";
}

class Fixture {
  public:
    const std::filesystem::path& write(const std::string& content) const {
        // Always a new file: some file systems sync a file that is truncated and rewritten, which is slow.
        std::filesystem::remove(path_);
        std::ofstream(path_, std::ios::binary) << content;
        return path_;
    }
    std::string open_error(const std::string& content) const {
        return error_of(ErrorKind::bad_input, [&] { SafetensorsFile::open(write(content)); });
    }
    const std::filesystem::path& path() const { return path_; }

  private:
    TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "m.safetensors";
};

struct Malformed {
    const char* name;
    std::string content;
    const char* message;
};

void check_messages(std::span<const Malformed> cases) {
    const Fixture fixture;
    for (const Malformed& each : cases) {
        CAPTURE(each.name);
        const std::string message = fixture.open_error(each.content);
        CHECK(message == Containing(each.message));
        CHECK(message.starts_with(fixture.path().string() + ": "));
    }
}

}  // namespace

TEST_CASE("tensors come in the order of their bytes, with their types, shapes and values") {
    const Fixture fixture;
    const std::string header = R"({"late":)" + entry("I8", "[3]", "[16,19]") +
                               R"(,"__metadata__":{"k":"v"},"early":)" + entry("F32", "[2,2]", "[0,16]") +
                               R"(,"empty":)" + entry("F64", "[0,5]", "[16,16]") + R"(,"scalar":)" +
                               entry("U8", "[]", "[19,20]") + "}";
    const SafetensorsFile file = SafetensorsFile::open(fixture.write(file_text(header, 20)));
    REQUIRE(file.tensors().size() == 4);
    CHECK(file.tensors()[0].name == "early");
    CHECK(file.tensors()[1].name == "empty");
    CHECK(file.tensors()[2].name == "late");
    CHECK(file.tensors()[3].name == "scalar");
    CHECK(file.tensors()[0].shape == std::vector<std::size_t>{2, 2});
    CHECK(file.tensors()[0].elements() == 4);
    CHECK(file.tensors()[0].as<float>().size() == 4);
    CHECK(file.tensors()[1].elements() == 0);
    CHECK(file.tensors()[3].elements() == 1);
    CHECK(file.find("late")->dtype == DType::i8);
    CHECK(file.find("none") == nullptr);
    CHECK(*find(file.metadata(), "k") == "v");
    CHECK(find(file.metadata(), "none") == nullptr);
    CHECK(std::string(dtype_name(DType::bf16)) == "BF16");
    CHECK(dtype_bytes(DType::bf16) == 2);
}

TEST_CASE("as many dimensions as other programs allow are read") {
    const Fixture fixture;
    const auto path = fixture.write(file_text(one_tensor("U8", dimensions(64), "[0,1]"), 1));
    CHECK(SafetensorsFile::open(path).tensors().at(0).shape.size() == 64);
}

TEST_CASE("a file without tensors is valid") {
    const Fixture fixture;
    CHECK(SafetensorsFile::open(fixture.write(file_text("{}", 0))).tensors().empty());
}

TEST_CASE("a wrong header length is rejected before anything is read") {
    const std::string good = file_text("{}", 0);
    const Malformed cases[] = {
        {"zero-byte file", "", "expected a safetensors file, found an empty file"},
        {"cut in the length", good.substr(0, 7), "expected 8 bytes of header length, found 7 bytes"},
        {"cut after the length", good.substr(0, 8),
         "byte 0: expected a header length of at most the 0 bytes"},
        {"cut in the header", good.substr(0, 12), "at most the 4 bytes that follow it, found 8"},
        {"zero length", length_field(0) + "{}", "byte 8: expected a header that starts with '{', found none"},
        {"length of 2^64 - 1", length_field(~std::uint64_t{0}) + "{}",
         "at most 100000000, found 18446744073709551615"},
        {"length above the cap", length_field(100'000'001) + "{}", "at most 100000000, found 100000001"},
        {"length beyond the file", length_field(100'000'000) + "{}", "that follow it, found 100000000"},
        {"odd length that cuts the JSON", length_field(1) + "{}",
         "header: byte 1: expected a key, found the end of the text"},
        {"another format", std::string("PK\3\4\0\0\0\0", 8) + std::string(100, 'x'),
         "expected a safetensors file, found a zip file"},
    };
    check_messages(cases);
}

TEST_CASE("errors in the header's JSON give the place") {
    std::string deep = R"({"a":{"x":)";
    deep += std::string(100'000, '[');
    const Malformed cases[] = {
        {"no JSON", file_text("hello", 0),
         "byte 8: expected a header that starts with '{', found another byte"},
        {"JSON array", file_text("[]", 0),
         "byte 8: expected a header that starts with '{', found another byte"},
        {"cut JSON", file_text(R"({"a")", 0), "header: byte 8: expected ':', found the end of the text"},
        {"depth bomb", file_text(deep, 0), "header: byte 72: expected at most 64 levels, found more"},
        {"bad UTF-8", file_text("{\"a\xFF\":1}", 0), "header: byte 3: expected valid UTF-8, found byte 0xff"},
        {"name twice",
         file_text(two_tensors(entry("U8", "[1]", "[0,1]"),
                               entry("U8", "[1]", "[1,2]") + ",\"a\":" + entry("U8", "[0]", "[2,2]")),
                   2),
         "expected another key, found \"a\" again"},
        {"bytes after the object", file_text("{}x", 0),
         "header: byte 2: expected the end of the text, found 'x'"},
        {"metadata that is no object", file_text(R"({"__metadata__":[]})", 0),
         "__metadata__: expected an object, found another value"},
        {"metadata that is no string", file_text(R"({"__metadata__":{"k":1}})", 0),
         "__metadata__: \"k\": expected a string, found another value"},
    };
    check_messages(cases);
}

TEST_CASE("a malformed entry of a tensor is rejected by name") {
    const Malformed cases[] = {
        {"no object", file_text(R"({"a":1})", 0), "tensor \"a\": expected an object, found another value"},
        {"no dtype", file_text(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1),
         R"(tensor "a": expected a member "dtype", found none)"},
        {"no shape", file_text(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1),
         R"(tensor "a": expected a member "shape", found none)"},
        {"no offsets", file_text(R"({"a":{"dtype":"U8","shape":[1]}})", 1),
         R"(tensor "a": expected a member "data_offsets", found none)"},
        {"unknown dtype", file_text(one_tensor("F8_E4M3", "[1]", "[0,1]"), 1),
         R"(tensor "a": dtype: expected one of F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL, found "F8_E4M3")"},
        {"dtype that is no string", file_text(R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", 1),
         "tensor \"a\": dtype: expected one of F64"},
        {"shape that is no array", file_text(one_tensor("U8", "1", "[0,1]"), 1),
         "tensor \"a\": shape: expected an array, found a number"},
        {"negative shape", file_text(one_tensor("U8", "[-1]", "[0,1]"), 1),
         "shape: expected a whole number that is not negative, found -1"},
        {"shape of a text", file_text(one_tensor("U8", "[\"1\"]", "[0,1]"), 1),
         "not negative, found a string"},
        {"shape that wraps", file_text(one_tensor("F32", "[4611686018427387904,4]", "[0,0]"), 0),
         "tensor \"a\": shape: expected a size that fits 64 bits, found a larger one"},
        {"shape that wraps to the size", file_text(one_tensor("F32", "[4611686018427387905]", "[0,4]"), 4),
         "tensor \"a\": shape: expected a size that fits 64 bits, found a larger one"},
        {"shape beyond 64 bits", file_text(one_tensor("U8", "[18446744073709551616]", "[0,1]"), 1),
         "shape: expected a whole number that is not negative, found 1"},
        {"one offset", file_text(one_tensor("U8", "[1]", "[0]"), 1),
         "data_offsets: expected two numbers, found 1"},
        {"negative offset", file_text(one_tensor("U8", "[1]", "[-1,0]"), 1),
         "data_offsets: expected a whole number that is not negative, found -1"},
        {"offset with a fraction", file_text(one_tensor("U8", "[1]", "[0,1.5]"), 1),
         "data_offsets: expected a whole number that is not negative, found 1.5"},
        {"offsets that go back", file_text(one_tensor("U8", "[1]", "[1,0]"), 1),
         "data_offsets: expected a start before the end, found 1 to 0"},
        {"offsets out of the file", file_text(one_tensor("U8", "[9]", "[0,9]"), 8),
         "data_offsets: expected an end within the 8 bytes of data, found 0 to 9"},
        {"offsets at the end of 64 bits",
         file_text(one_tensor("U8", "[1]", "[18446744073709551614,18446744073709551615]"), 8),
         "expected an end within the 8 bytes of data"},
        {"offsets that disagree with the shape", file_text(one_tensor("F32", "[2]", "[0,4]"), 4),
         "data_offsets: expected 8 bytes for this type and shape, found 4 (0 to 4)"},
        {"a long name is cut", file_text("{\"" + std::string(5000, 'n') + "\":1}", 0),
         "n…nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\": expected an object"},
        {"control characters in a name are escaped", file_text("{\"\\u001b[2J\":1}", 0),
         R"(tensor "\x1b[2J": expected an object)"},
        {"65 dimensions", file_text(one_tensor("U8", dimensions(65), "[0,1]"), 1),
         "tensor \"a\": shape: expected at most 64 numbers, found more"},
        {"a shape of arrays", file_text(one_tensor("U8", "[[1]]", "[0,1]"), 1),
         "shape: expected a whole number that is not negative, found an array"},
    };
    check_messages(cases);
}

TEST_CASE("files that the format's own library opens can be opened for import") {
    const Fixture fixture;
    const std::string unaligned =
        two_tensors(entry("U8", "[1]", "[0,1]"), entry("F32", "[1]", "[1,5]") + R"(,"__metadata__":null)");
    const auto file =
        SafetensorsFile::open_for_import(fixture.write(length_field(unaligned.size()) + unaligned + "12345"));
    REQUIRE(file.tensors().size() == 2);
    CHECK(file.tensors()[1].bytes.size() == 4);
    CHECK(file.metadata().empty());
    CHECK(SafetensorsFile::open_for_import(fixture.write(file_text(" \n\t{}\r", 0))).tensors().empty());

    const std::map<std::string, std::size_t> bytes_of_four = {
        {"U16", 8}, {"U32", 16},    {"U64", 32},    {"C64", 32},        {"F8_E5M2", 4},     {"F8_E4M3", 4},
        {"F4", 2},  {"F6_E2M3", 3}, {"F6_E3M2", 3}, {"F8_E4M3FNUZ", 4}, {"F8_E5M2FNUZ", 4}, {"F8_E8M0", 4}};
    for (const auto& entry_of_four : bytes_of_four) {
        const std::string& dtype = entry_of_four.first;
        const std::size_t bytes = entry_of_four.second;
        CAPTURE(dtype);
        const std::string offsets = "[0," + std::to_string(bytes) + "]";
        fixture.write(file_text(one_tensor(dtype, "[4]", offsets), bytes));
        const auto other = SafetensorsFile::open_for_import(fixture.path());
        CHECK(other.tensors().empty());
        REQUIRE(other.others().size() == 1);
        CHECK(other.others()[0].name == "a");
        CHECK(other.others()[0].dtype == dtype);
        CHECK(error_of(ErrorKind::bad_input, [&] { SafetensorsFile::open(fixture.path()); }) ==
              Containing("tensor \"a\": dtype: expected one of F64 F32"));
    }
    const auto import_error = [&](const std::string& content) {
        return error_of(ErrorKind::bad_input,
                        [&] { SafetensorsFile::open_for_import(fixture.write(content)); });
    };
    CHECK(import_error(file_text(one_tensor("F4", "[3]", "[0,2]"), 2)) ==
          Containing("shape: expected a whole number of bytes, found 12 bits"));
    CHECK(import_error(file_text(one_tensor("C128", "[1]", "[0,16]"), 16)) ==
          Containing("F6_E3M2 F4, found \"C128\""));
    CHECK(import_error(file_text(two_tensors(entry("F4", "[4]", "[0,2]"), entry("U8", "[1]", "[1,2]")), 2)) ==
          Containing("found an overlap"));
}

TEST_CASE("tensors that do not cover all data are rejected") {
    const Malformed cases[] = {
        {"overlap", file_text(two_tensors(entry("U8", "[4]", "[0,4]"), entry("U8", "[4]", "[2,6]")), 6),
         "tensor \"b\": expected its data to start at 4, found an overlap: it starts at 2"},
        {"the same bytes",
         file_text(two_tensors(entry("U8", "[4]", "[0,4]"), entry("U8", "[4]", "[0,4]")), 4),
         "tensor \"b\": expected its data to start at 4, found an overlap: it starts at 0"},
        {"gap", file_text(two_tensors(entry("U8", "[4]", "[0,4]"), entry("U8", "[4]", "[5,9]")), 9),
         "tensor \"b\": expected its data to start at 4, found a gap: it starts at 5"},
        {"gap at the start", file_text(one_tensor("U8", "[4]", "[1,5]"), 5),
         "tensor \"a\": expected its data to start at 0, found a gap: it starts at 1"},
        {"bytes after the last", file_text(one_tensor("U8", "[4]", "[0,4]"), 5),
         "expected 4 bytes of data, as the header says, found 5"},
        {"cut in the data", file_text(one_tensor("U8", "[4]", "[0,4]"), 3),
         "expected an end within the 3 bytes of data, found 0 to 4"},
        {"misaligned", file_text(two_tensors(entry("U8", "[1]", "[0,1]"), entry("F32", "[1]", "[1,5]")), 5),
         "tensor \"b\": expected its data at a multiple of 4 bytes of the file, found byte"},
    };
    check_messages(cases);
}

TEST_CASE("a header full of keys is checked quickly") {
    std::string header = "{\"k\":";
    for (int i = 0; i < 100'000; ++i) header += "0,\"" + std::to_string(i) + "\":";
    check_messages(std::vector<Malformed>{{"keys", file_text(header + "0}", 0), "expected an object"}});
}

TEST_CASE("paths that are not files are rejected") {
    const TemporaryFolder folder;
    const auto message = [](const std::filesystem::path& path) {
        return error_of(ErrorKind::bad_input, [&path] { SafetensorsFile::open(path); });
    };
    CHECK(message(folder / "none") == Containing("none: cannot be opened: No such file or directory"));
    CHECK(message(folder.path()) == Containing("expected a file, found a directory"));
    CHECK(message("/dev/null") == "/dev/null: expected a regular file, found a device, pipe or socket");
    REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
    CHECK(message(folder / "pipe") == Containing("expected a regular file, found a device"));
}

TEST_CASE("arbitrary bytes cause nothing but an Error") {
    kernels::testing::Random random;
    INFO(random.replay());
    const Fixture fixture;
    const std::string good =
        file_text(two_tensors(entry("F32", "[2,3]", "[0,24]"), entry("I8", "[5]", "[24,29]")), 29);
    for (int round = 0; round < 2000; ++round) {
        std::string bad = good;
        for (int flips = random.integer(1, 4); flips > 0; --flips) {
            const auto at = static_cast<std::size_t>(random.integer(0, static_cast<int>(bad.size()) - 1));
            bad[at] = static_cast<char>(random.integer(0, 255));
        }
        if (random.integer(0, 9) == 0) bad.resize(static_cast<std::size_t>(random.integer(0, 200)));
        try {
            const SafetensorsFile file = SafetensorsFile::open(fixture.write(bad));
            for (const Tensor& tensor : file.tensors()) {
                CHECK(tensor.elements() * dtype_bytes(tensor.dtype) == tensor.bytes.size());
            }
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::bad_input);
        }
    }
}

TEST_CASE("a mapping stays readable when it is moved, and when parts of it are released") {
    const Fixture fixture;
    const std::string content(3 * 65536 + 100, 'x');
    MappedFile first(fixture.write(content));
    MappedFile second = std::move(first);
    second.release(second.bytes());
    second.release(second.bytes().subspan(5, 100'000));
    second.release(second.bytes().first(0));
    first = std::move(second);
    CHECK(first.path() == fixture.path());
    CHECK(std::string_view(reinterpret_cast<const char*>(first.bytes().data()), first.bytes().size()) ==
          content);
}

}  // namespace vgg19::model
