#include "engine/model/json_file.h"

#include <doctest/doctest.h>

#include <fstream>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

using vgg19::testing::Containing;
using vgg19::testing::error_of;

namespace vgg19::model {

TEST_CASE("Errors of a JSON file name it, whoever finds them") {
    const vgg19::testing::TemporaryFolder folder;
    const std::filesystem::path file = folder.path() / "report.json";
    std::ofstream(file) << R"({"runs": "three"})";
    CHECK(read_json(file).find("runs")->string() == "three");
    CHECK(read_json_as(file, [](const Json& json) { return member(json, "runs", "x").string(); }) == "three");

    const std::string type = error_of(ErrorKind::bad_input, [&] {
        read_json_as(file, [](const Json& json) { return member(json, "runs", "x").size(); });
    });
    CHECK(type == file.string() + ": expected a whole number that is not negative, found a string");
    const std::string missing = error_of(ErrorKind::bad_input, [&] {
        read_json_as(file, [&](const Json& json) { return member(json, "id", file.string()).size(); });
    });
    CHECK(missing == file.string() + ": expected a member \"id\", found none");

    std::ofstream(file) << "{";
    CHECK(error_of(ErrorKind::bad_input, [&] { read_json(file); }) == Containing(file.string() + ": byte 1"));
    CHECK(error_of(ErrorKind::bad_input, [&] { read_json(folder.path() / "none.json"); }) ==
          Containing("none.json"));
}

TEST_CASE("a file that is larger than any report is refused before it is read") {
    const vgg19::testing::TemporaryFolder folder;
    std::ofstream(folder / "large") << "[]";
    std::filesystem::resize_file(folder / "large", largest_text_file + 1);
    CHECK(error_of(ErrorKind::bad_input, [&] { read_json(folder / "large"); }) ==
          Containing("expected at most 16777216 bytes of text, found 16777217"));
}

}  // namespace vgg19::model
