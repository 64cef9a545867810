#include "tools/serve/multipart.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <iterator>
#include <string>

#include "kernels/common/testing/random.h"
#include "tools/serve/problem.h"

namespace {

using namespace vgg19::server;

constexpr const char* content_type = "multipart/form-data; boundary=edge";

std::string part(const std::string& fields, const std::string& content) {
    return "--edge\r\n" + fields + "\r\n" + content + "\r\n";
}

std::string refusal(const std::string& body, const std::string& type = content_type) {
    try {
        return "found: " + std::string(file_of_form(body, type));
    } catch (const Problem& problem) {
        CHECK(problem.status() == 400);
        return problem.what();
    }
}

const std::string file_fields = "Content-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n";
const std::string text_fields = "Content-Disposition: form-data; name=\"t\"\r\n";

}  // namespace

TEST_CASE("the file of a form is its only part with a file name, byte by byte") {
    const std::string bytes("\0\r\n--edg\r\n\r\n--\xff", 15);
    CHECK(file_of_form(part(text_fields, "x") + part(file_fields, bytes) + "--edge--\r\n", content_type) ==
          bytes);
    CHECK(file_of_form("preamble\r\n" + part(file_fields, bytes) + "--edge--", content_type) == bytes);
    CHECK(file_of_form(part(file_fields, "") + "--edge--", content_type).empty());
    CHECK(file_of_form("--edge  \r\n\r\nonly\r\n--edge--", content_type) == "only");
    CHECK(file_of_form("--a b\r\n\r\nquoted\r\n--a b--", "Multipart/Form-Data; Boundary=\"a b\"; x=y") ==
          "quoted");
}

TEST_CASE("a truncated or ambiguous form is refused") {
    using namespace std::string_literals;
    const std::string whole = part(file_fields, "content") + "--edge--";
    for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
        CAPTURE(length);
        CHECK(refusal(whole.substr(0, length)).starts_with("form: "));
    }
    const std::string two = part(file_fields, "1") + part(file_fields, "2") + "--edge--";
    CHECK(refusal(two) == "form: expected one file, found 2 among 2 parts");
    CHECK(refusal(part(text_fields, "1") + part(text_fields, "2") + "--edge--")
              .starts_with("form: expected one"));
    CHECK(refusal("--edge--") == "form: expected one file, found 0 among 0 parts");
    CHECK(refusal(whole, "multipart/form-data").starts_with("form: Content-Type"));
    CHECK(refusal(whole, "multipart/form-data; boundary=").starts_with("form: Content-Type"));
    CHECK(
        refusal(whole, "multipart/form-data; boundary=" + std::string(71, 'a')).starts_with("form: Content"));
    std::string many;
    for (int i = 0; i < 17; ++i) many += part(text_fields, "x");
    CHECK(refusal(many + "--edge--") == "form: expected at most 16 parts");
}

TEST_CASE("arbitrary forms give a file or an error") {
    vgg19::kernels::testing::Random random;
    INFO(random.replay());
    const std::string pieces[] = {"--edge", "\r\n", "--", "filename", ":", "\r\n\r\n", "x", "edge"};
    for (int round = 0; round < 2000; ++round) {
        std::string body;
        for (int count = random.integer(0, 12); count > 0; --count) {
            body +=
                pieces[static_cast<std::size_t>(random.integer(0, static_cast<int>(std::size(pieces)) - 1))];
        }
        CAPTURE(body);
        const std::string answer = refusal(body);
        CHECK((answer.starts_with("form: ") || answer.starts_with("found: ")));
    }
}
