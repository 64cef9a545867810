#include "converter/class_names.h"

#include <doctest/doctest.h>

#include "converter/import/testing/files.h"
#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

namespace {

using vgg19::ErrorKind;
using vgg19::converter::read_class_names;
using vgg19::converter::testing::write_bytes;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

using Names = std::vector<std::string>;

Names names_in(const std::string& content, std::size_t classes = 0) {
    const TemporaryFolder folder;
    write_bytes(folder / "names", content);
    return read_class_names(folder / "names", classes);
}

std::string problem_in(const std::string& content, std::size_t classes = 0) {
    return error_of(ErrorKind::bad_input, [&] { names_in(content, classes); });
}

TEST_CASE("class names are read in every supported format") {
    const Names expected = {"tench", "great white shark", "Spaß"};
    for (const char* content : {
             "tench\ngreat white shark\nSpaß\n",
             "tench\r\n  great white shark \r\nSpaß",
             "tench\ngreat white shark\nSpaß\n\n \n",
             "\xEF\xBB\xBFtench\ngreat white shark\nSpaß\n",
             R"(["tench", "great white shark", "Spa\u00df"])",
             R"( {"2": "Spaß", "0": "tench", "1": "great white shark"} )",
             R"({"great white shark": 1, "tench": 0, "Spaß": 2})",
             R"({"0": ["n01440764", "tench"], "1": ["n01484850", "great white shark"], "2": ["x", "Spaß"]})",
             R"([["n01440764", "tench"], ["n01484850", "great white shark"], ["x", "Spaß"]])",
         }) {
        CAPTURE(content);
        CHECK(names_in(content) == expected);
        CHECK(names_in(content, 3) == expected);
    }
    CHECK(names_in("2\n10\n1\n") == Names{"2", "10", "1"});
    CHECK(names_in(R"({"0": ["n02012849", "crane"], "1": ["x", "gull"], "2": ["n03126707", "crane"]})") ==
          Names{"crane (n02012849)", "gull", "crane (n03126707)"});
}

TEST_CASE("errors in a file of class names give the line or entry") {
    CHECK(problem_in("") == Containing("expected one class name per line, found none"));
    CHECK(problem_in(" \n\n") == Containing("expected one class name per line, found none"));
    CHECK(problem_in("a\n\nb\n") == Containing("line 2: expected a class name, found an empty line"));
    CHECK(problem_in("a\nb\na\n") ==
          Containing("line 3: expected each class once, found 'a' again, after line 1"));
    CHECK(problem_in("a\n\xff\n") == Containing("line 2: expected a name of at most 1000 bytes in UTF-8"));
    CHECK(problem_in(std::string(1001, 'a')) == Containing("line 1: expected a name of at most 1000 bytes"));
    CHECK(problem_in("a\nb\n", 3) ==
          Containing("expected a name for each of the model's 3 classes, found 2"));
    CHECK(problem_in("[\"a\", 3]") ==
          Containing("class 1: expected a name, or WordNet's id and a name, found 3"));
    CHECK(problem_in("[\"a\", \"\"]") == Containing("class 1: expected a class name, found none"));
    CHECK(problem_in("[\"a\"") == Containing("names: byte"));
    CHECK(problem_in(R"({"0": "a", "2": "b"})") ==
          Containing("entry \"2\": expected an index below 2, the number of entries, found 2"));
    CHECK(problem_in(R"({"a": 0, "b": 0})") ==
          Containing("entry \"b\": expected each index once, found 0 again"));
    CHECK(problem_in(R"({"a": "b"})") == Containing("entry \"a\": expected a class's index, found a"));
    CHECK(problem_in(R"({"0": "a", "1": "a"})") == Containing("class 1: expected each class once"));
}

}  // namespace
