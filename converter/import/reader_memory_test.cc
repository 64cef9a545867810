// What reading weights of unknown origin takes is bounded by the file's size.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "converter/class_names.h"
#include "converter/import/checkpoint_tree.h"
#include "converter/import/formats/formats.h"
#include "converter/import/state_dict.h"
#include "converter/import/testing/files.h"
#include "converter/import/testing/pickle_writer.h"
#include "converter/import/testing/zip_writer.h"
#include "engine/testing/allocation_meter.h"
#include "engine/testing/temporary_folder.h"

namespace {

using namespace std::string_literals;  // for texts that contain zero bytes
using vgg19::Error;
using vgg19::converter::Pickle;
using vgg19::converter::StateDict;
using vgg19::converter::testing::legacy_preamble;
using vgg19::converter::testing::little_endian;
using vgg19::converter::testing::PickleWriter;
using vgg19::converter::testing::write_bytes;
using vgg19::converter::testing::zip_file;
using vgg19::testing::fail_each_allocation;
using vgg19::testing::peak_of;

/// So that what does not grow with the file does not count.
constexpr std::size_t fixed_bytes = 16'384;
constexpr std::size_t size = 200'000;

struct Case {
    const char* name;
    std::string content;
};

std::string repeated(std::string_view part, std::size_t bytes = size) {
    std::string text;
    while (text.size() < bytes) text += part;
    return text;
}

/// Names that differ, two bytes each as far as they go.
std::string numbered(std::string_view before, std::string_view after, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text.append(before).append(little_endian(i, 2)).append(after);
    return text;
}

template <class Action>
std::size_t peak_with_errors(const Action& action) {
    return peak_of([&] {
        try {
            action();
        } catch (const Error& error) {
            CHECK(std::string(error.what()).size() < 2000);
        }
    });
}

std::string pickled(const std::string& operations) {
    return "\x80\x04" + operations + ".";
}

/// Operations that take much memory for their bytes.
std::vector<Case> spam() {
    return {
        {"None", repeated("N")},
        {"lists", repeated("]")},
        {"dicts", repeated("}")},
        {"tuples in tuples", "N" + repeated("\x85")},
        {"persistent ids in persistent ids", "N" + repeated("Q")},
        {"marks", repeated("(")},
        {"copies of a reference", "N" + repeated("2")},
        {"sets", repeated("\x8f")},
        {"empty tuples", repeated(")")},
        {"empty texts", repeated("V\n")},
        {"short texts", repeated("\x8c\x01x")},
        {"persistent ids of lines", repeated("P\n")},
        {"lists of one", repeated("]Na")},
        {"lists of three", repeated("](NNNe")},
        {"dicts of one", repeated("}NNs")},
        {"objects", "N" + repeated("NR")},
        {"objects of marks", repeated("(No")},
        {"attributes of lists", repeated("]Nb")},
        {"attributes again and again", "]" + repeated("Nb")},
        {"objects with items", repeated("NNRNNs")},
        {"extensions", numbered("\x83", "", 65536)},
        {"globals", numbered("ca", "\nb\n", 50000)},
        {"memo", repeated("N\x94")},
        {"memo from its end", "Nr" + little_endian(size - 100, 4) + repeated("N")},
        {"a long line", "V" + std::string(size, '\xff') + "\n"},
        {"long numbers", repeated("\x8a\x09" + std::string(9, '\x7f'))},
        {"lines of numbers", repeated("L99999999999999999999L\n")},
        {"one list that grows", "]" + repeated("Na")},
        {"two lists that grow in turn", "]q\x00]q\x01"s + repeated("0h\x00Na0h\x01Na"s)},
    };
}

}  // namespace

TEST_CASE("a pickle takes a stated multiple of its bytes, whatever it holds") {
    for (const Case& each : spam()) {
        CAPTURE(each.name);
        const std::string content = pickled(each.content);
        const std::size_t peak = peak_with_errors([&] {
            vgg19::converter::ByteReader reader(std::as_bytes(std::span(content)), "file", 0, content.size());
            Pickle::read(reader);
        });
        CHECK(peak < fixed_bytes + vgg19::converter::pickle_memory_factor * content.size());
    }
}

namespace {

/// Pickles that are read to their end, and name few things very often.
std::vector<Case> repetitions() {
    const std::string key = "X"s + little_endian(100'000, 4) + std::string(100'000, 'k') + "q\x00"s;
    PickleWriter tensor;
    tensor.tensor("0", 8, 0, {2, 4}, {4, 1});
    const std::string one_tensor = tensor.finished().substr(2, tensor.finished().size() - 3) + "q\x01"s;
    const std::string names = "X"s + little_endian(7, 4) + "classes";
    return {
        {"one long key", "}(" + key + "N" + repeated("h\x00N"s) + "u"},
        {"one long key of a list", "}(" + key + "]" + repeated("h\x00]"s) + "u"},
        {"class names that are one text", "}(" + names + "](" + key + repeated("h\x00"s) + "eu"},
        {"a name of a class again and again", "}(" + names + "](X"s + little_endian(900, 4) +
                                                  std::string(900, 'n') + "q\x00"s +
                                                  repeated("h\x00"s, 150'000) + "eu"},
        {"one tensor", "](" + one_tensor + repeated("h\x01"s) + "e"},
        {"one tensor under long paths", "}(X"s + little_endian(900, 4) + std::string(900, 'p') + "](" +
                                            one_tensor + repeated("h\x01"s) + "eu"},
        {"modules with a long type", "](ctorch.nn.modules.activation\n" + std::string(5000, 't') +
                                         "\nq\x00}X\x08\0\0\0trainingNsq\x01"s +
                                         repeated("h\x00)\x81h\x01"s
                                                  "b"s) +
                                         "e"},
        {"lists in lists", "](" + repeated("]]]aa") + "e"},
    };
}

}  // namespace

TEST_CASE("what a checkpoint names very often is not copied as often") {
    const vgg19::testing::TemporaryFolder folder;
    for (const Case& each : repetitions()) {
        CAPTURE(each.name);
        const std::string content = pickled(each.content);
        write_bytes(folder / "zip", zip_file({{"a/data.pkl", content}, {"a/data/0", std::string(32, '\0')}}));
        bool is_read = false;
        const std::size_t peak = peak_with_errors([&] {
            StateDict::open(folder / "zip");
            is_read = true;
        });
        CHECK(is_read);
        CHECK(peak < fixed_bytes + vgg19::converter::least_contents_memory +
                         (vgg19::converter::pickle_memory_factor + vgg19::converter::contents_memory_factor) *
                             content.size());
    }
}

TEST_CASE("an archive's directory takes little memory") {
    std::vector<std::pair<std::string, std::string>> files = {{"a/data.pkl", "N."}};
    for (std::size_t i = 0; i < 5000; ++i) files.emplace_back(little_endian(i, 2), "");
    const std::string content = zip_file(files);
    const vgg19::testing::TemporaryFolder folder;
    write_bytes(folder / "zip", content);
    const std::size_t peak = peak_with_errors([&] { StateDict::open(folder / "zip"); });
    CHECK(peak < fixed_bytes + 4 * content.size());
}

TEST_CASE("class names take a bounded amount of memory") {
    const vgg19::testing::TemporaryFolder folder;
    const Case cases[] = {
        {"lines", repeated("a\n", 3'000'000)},
        {"an array of numbers", "[" + repeated("0,", 3'000'000) + "0]"},
        {"an array of texts", "[" + repeated("\"a\",", 3'000'000) + "0]"},
        {"arrays", "[" + repeated("[[[[[[]]]]]],", 3'000'000) + "0]"},
        {"an object", "{" + repeated("\"a\":[0,0,0,0,0,0,0,0],", 3'000'000) + "\"b\":0}"},
        {"one long name", std::string(3'000'000, 'x')},
    };
    for (const Case& each : cases) {
        CAPTURE(each.name);
        write_bytes(folder / "names", each.content);
        const std::size_t peak =
            peak_with_errors([&] { vgg19::converter::read_class_names(folder / "names", 0); });
        CHECK(peak < fixed_bytes + 8 * each.content.size());
    }
}

TEST_CASE("reading a checkpoint without memory is an exception, and leaves nothing behind") {
    const vgg19::testing::TemporaryFolder folder;
    PickleWriter writer;
    writer.raw("}(").text("classes").raw("](").text("a name that is long enough").raw("e").text("weight");
    writer.tensor("0", 8, 0, {2, 4}, {4, 1}).raw("u");
    write_bytes(folder / "zip",
                zip_file({{"a/data.pkl", writer.finished()}, {"a/data/0", std::string(32, '\0')}}));
    const std::size_t before = vgg19::testing::allocated_bytes;
    CHECK(fail_each_allocation([&] { StateDict::open(folder / "zip"); }) > 20);
    CHECK(vgg19::testing::allocated_bytes == before);
}

#if VGG19_HAS_PROTOBUF
TEST_CASE("names and settings of a hostile file of ONNX take bounded memory") {
    const vgg19::testing::TemporaryFolder folder;
    constexpr std::size_t bytes = 4'000'000;
    constexpr std::size_t most = std::size_t{96}
                                 << 20U;                 // protobuf_description_bytes, and half as much again
    for (const char field : {'\x0a', '\x2a', '\x5a'}) {  // nodes, weights, inputs, all of them empty
        const std::string graph = repeated(std::string{field, '\0'}, bytes);
        std::string length;  // a varint
        for (std::size_t left = graph.size(); left > 0; left >>= 7U) {
            length += static_cast<char>((left & 0x7fU) | (left >= 0x80U ? 0x80U : 0U));
        }
        write_bytes(folder / "weights", "\x08\x07\x12\x07pytorch\x3a" + length + graph);
        const std::size_t peak = peak_with_errors(
            [&] { StateDict::open(folder / "weights", vgg19::converter::foreign_formats()); });
        CHECK(peak < most);
    }
}
#endif
