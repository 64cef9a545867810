#include "converter/class_names.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;

struct NamesFile {
    vgg19::testing::TemporaryFolder folder;

    std::vector<std::string> read(const std::string& content) const {
        std::ofstream(folder / "names.txt", std::ios::binary) << content;
        return read_class_names(folder / "names.txt");
    }
    std::string refusal(const std::string& content) const {
        return vgg19::testing::error_of(ErrorKind::bad_input, [&] { read(content); });
    }
};

}  // namespace

TEST_CASE("class names stand a line each, without the blanks around them") {
    const NamesFile file;
    const std::vector<std::string> expected = {"golden retriever", "Kätzchen", "0"};
    CHECK(file.read("golden retriever\nKätzchen\n0\n") == expected);
    CHECK(file.read("\xEF\xBB\xBFgolden retriever\r\n Kätzchen\t\r\n0\r\n\r\n\n") == expected);
}

TEST_CASE("files of class names that are wrong are refused with their line") {
    const NamesFile file;
    CHECK(file.refusal("") == Containing("names.txt: expected a class name a line, found none"));
    CHECK(file.refusal("\n\n") == Containing("found none"));
    CHECK(file.refusal("a\n\nb\n") == Containing("line 2: expected a class name, found an empty line"));
    CHECK(file.refusal("a\nb\na\n") ==
          Containing("line 3: expected each class once, found 'a' again, after line 1"));
    CHECK(file.refusal("a\n\xff\n") == Containing("line 2: expected a name of at most 1000 bytes in UTF-8"));
    CHECK(file.refusal(std::string(1001, 'a')) == Containing("line 1: expected a name of at most"));
}

}  // namespace vgg19::converter
